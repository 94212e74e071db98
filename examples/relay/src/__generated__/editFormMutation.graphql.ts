/**
 * @generated SignedSource<<03d0a4526f417a67942f5a0c74f70fe1>>
 * @lightSyntaxTransform
 */

/* tslint:disable */
/* eslint-disable */
// @ts-nocheck

import { ConcreteRequest } from 'relay-runtime';
import { FragmentRefs } from "relay-runtime";
export type ImageBackground = "AUTO" | "OPAQUE" | "TRANSPARENT" | "%future added value";
export type ImageFormat = "JPEG" | "PNG" | "WEBP" | "%future added value";
export type ImageQuality = "AUTO" | "HIGH" | "LOW" | "MAX" | "MEDIUM" | "XHIGH" | "%future added value";
export type InputFidelity = "HIGH" | "LOW" | "%future added value";
export type Moderation = "AUTO" | "LOW" | "%future added value";
export type EditImageInput = {
  background?: ImageBackground | null | undefined;
  extraParams?: any | null | undefined;
  idempotencyKey?: string | null | undefined;
  images: ReadonlyArray<ImageInput>;
  inputFidelity?: InputFidelity | null | undefined;
  mask?: ImageInput | null | undefined;
  metadata?: any | null | undefined;
  model?: string | null | undefined;
  moderation?: Moderation | null | undefined;
  n?: number | null | undefined;
  outputCompression?: number | null | undefined;
  outputFormat?: ImageFormat | null | undefined;
  partialImages?: number | null | undefined;
  prompt: string;
  quality?: ImageQuality | null | undefined;
  size?: any | null | undefined;
  wait?: number | null | undefined;
};
export type ImageInput = {
  file: any;
  id?: never;
} | {
  file?: never;
  id: string;
};
export type editFormMutation$variables = {
  input: EditImageInput;
};
export type editFormMutation$data = {
  readonly editImage: {
    readonly editJob?: {
      readonly id: string;
      readonly " $fragmentSpreads": FragmentRefs<"job">;
    };
    readonly message?: string;
  };
};
export type editFormMutation = {
  response: editFormMutation$data;
  variables: editFormMutation$variables;
};

const node: ConcreteRequest = (function(){
var v0 = [
  {
    "defaultValue": null,
    "kind": "LocalArgument",
    "name": "input"
  }
],
v1 = [
  {
    "kind": "Variable",
    "name": "input",
    "variableName": "input"
  }
],
v2 = {
  "alias": null,
  "args": null,
  "kind": "ScalarField",
  "name": "id",
  "storageKey": null
},
v3 = [
  {
    "alias": null,
    "args": null,
    "kind": "ScalarField",
    "name": "message",
    "storageKey": null
  }
],
v4 = {
  "kind": "InlineFragment",
  "selections": (v3/*:: as any*/),
  "type": "Error",
  "abstractKey": "__isError"
},
v5 = {
  "alias": null,
  "args": null,
  "kind": "ScalarField",
  "name": "url",
  "storageKey": null
};
return {
  "fragment": {
    "argumentDefinitions": (v0/*:: as any*/),
    "kind": "Fragment",
    "metadata": null,
    "name": "editFormMutation",
    "selections": [
      {
        "alias": null,
        "args": (v1/*:: as any*/),
        "concreteType": null,
        "kind": "LinkedField",
        "name": "editImage",
        "plural": false,
        "selections": [
          {
            "kind": "InlineFragment",
            "selections": [
              {
                "alias": null,
                "args": null,
                "concreteType": "EditJob",
                "kind": "LinkedField",
                "name": "editJob",
                "plural": false,
                "selections": [
                  (v2/*:: as any*/),
                  {
                    "args": null,
                    "kind": "FragmentSpread",
                    "name": "job"
                  }
                ],
                "storageKey": null
              }
            ],
            "type": "EditImagePayload",
            "abstractKey": null
          },
          (v4/*:: as any*/)
        ],
        "storageKey": null
      }
    ],
    "type": "Mutation",
    "abstractKey": null
  },
  "kind": "Request",
  "operation": {
    "argumentDefinitions": (v0/*:: as any*/),
    "kind": "Operation",
    "name": "editFormMutation",
    "selections": [
      {
        "alias": null,
        "args": (v1/*:: as any*/),
        "concreteType": null,
        "kind": "LinkedField",
        "name": "editImage",
        "plural": false,
        "selections": [
          {
            "alias": null,
            "args": null,
            "kind": "ScalarField",
            "name": "__typename",
            "storageKey": null
          },
          {
            "kind": "InlineFragment",
            "selections": [
              {
                "alias": null,
                "args": null,
                "concreteType": "EditJob",
                "kind": "LinkedField",
                "name": "editJob",
                "plural": false,
                "selections": [
                  (v2/*:: as any*/),
                  {
                    "alias": null,
                    "args": null,
                    "kind": "ScalarField",
                    "name": "status",
                    "storageKey": null
                  },
                  {
                    "alias": null,
                    "args": null,
                    "concreteType": "Prompt",
                    "kind": "LinkedField",
                    "name": "prompt",
                    "plural": false,
                    "selections": [
                      {
                        "alias": null,
                        "args": null,
                        "kind": "ScalarField",
                        "name": "text",
                        "storageKey": null
                      },
                      (v2/*:: as any*/)
                    ],
                    "storageKey": null
                  },
                  {
                    "alias": null,
                    "args": null,
                    "concreteType": "Image",
                    "kind": "LinkedField",
                    "name": "partialImages",
                    "plural": true,
                    "selections": [
                      (v2/*:: as any*/),
                      (v5/*:: as any*/)
                    ],
                    "storageKey": null
                  },
                  {
                    "alias": null,
                    "args": null,
                    "concreteType": "Image",
                    "kind": "LinkedField",
                    "name": "outputImages",
                    "plural": true,
                    "selections": [
                      (v2/*:: as any*/),
                      (v5/*:: as any*/),
                      {
                        "alias": null,
                        "args": null,
                        "kind": "ScalarField",
                        "name": "thumbnailUrl",
                        "storageKey": null
                      }
                    ],
                    "storageKey": null
                  },
                  {
                    "alias": null,
                    "args": null,
                    "concreteType": "EditError",
                    "kind": "LinkedField",
                    "name": "error",
                    "plural": false,
                    "selections": (v3/*:: as any*/),
                    "storageKey": null
                  }
                ],
                "storageKey": null
              }
            ],
            "type": "EditImagePayload",
            "abstractKey": null
          },
          (v4/*:: as any*/),
          {
            "kind": "InlineFragment",
            "selections": [
              (v2/*:: as any*/)
            ],
            "type": "NotFoundError",
            "abstractKey": null
          }
        ],
        "storageKey": null
      }
    ]
  },
  "params": {
    "cacheID": "2e349f24edade40a08b9c27072118192",
    "id": null,
    "metadata": {},
    "name": "editFormMutation",
    "operationKind": "mutation",
    "text": "mutation editFormMutation(\n  $input: EditImageInput!\n) {\n  editImage(input: $input) {\n    __typename\n    ... on EditImagePayload {\n      editJob {\n        id\n        ...job\n      }\n    }\n    ... on Error {\n      __isError: __typename\n      message\n    }\n    ... on NotFoundError {\n      id\n    }\n  }\n}\n\nfragment job on EditJob {\n  id\n  status\n  prompt {\n    text\n    id\n  }\n  partialImages {\n    id\n    url\n  }\n  outputImages {\n    id\n    url\n    thumbnailUrl\n  }\n  error {\n    message\n  }\n}\n"
  }
};
})();

(node as any).hash = "ffdca37f85c67c0b118104e7318b0473";

export default node;
