"""Sends an edit as the OpenAI client for Python does: the fields first, images under image[]."""

import http.client
import sys

port, image, mask = int(sys.argv[1]), sys.argv[2], sys.argv[3]
boundary = "0123456789abcdef0123456789abcdef"
body = b""


def part(disposition, content, more=""):
    global body
    head = f"--{boundary}\r\nContent-Disposition: form-data; {disposition}\r\n{more}\r\n"
    body += head.encode() + content + b"\r\n"


def file(name, path):
    with open(path, "rb") as content:
        part(f'name="{name}"; filename="{name}.png"', content.read(), "Content-Type: image/png\r\n")


fields = {"prompt": "a hat – 帽子", "model": "gpt-image-1", "n": "2", "size": "1024x1024", "user": "u"}
for name, value in fields.items():
    part(f'name="{name}"', value.encode())
for name in ("image[]", "image[]"):
    file(name, image)
file("mask", mask)
body += f"--{boundary}--\r\n".encode()

connection = http.client.HTTPConnection("127.0.0.1", port)
connection.request(
    "POST",
    "/v1/images/edits",
    body,
    {
        "Accept": "application/json",
        "Accept-Encoding": "gzip, deflate",
        "Connection": "keep-alive",
        "User-Agent": "OpenAI/Python 2.8.1",
        "X-Stainless-Lang": "python",
        "X-Stainless-Package-Version": "2.8.1",
        "X-Stainless-OS": "Linux",
        "X-Stainless-Arch": "x64",
        "X-Stainless-Runtime": "CPython",
        "X-Stainless-Runtime-Version": "3.11.7",
        "X-Stainless-Async": "false",
        "x-stainless-retry-count": "0",
        "x-stainless-read-timeout": "600",
        "Authorization": "Bearer sk-none",
        "Content-Type": f"multipart/form-data; boundary={boundary}",
    },
)
response = connection.getresponse()
sys.exit(0 if response.status == 200 else response.read().decode())
