/** The traditional characters in the signs of errors, and their simplified forms. */
const TRADITIONAL =
  '餘額帳賬戶費請儲點數積詞圖審違規內黃過單無權沒錯誤參應檢測觸發範準則條絕攔統暫線開鑰證認鑒鑑驗訪問許試後鐘個時連斷為當還將網號長圍凍結預響於卻臺盡態濾狀確敗區';
const SIMPLIFIED =
  '余额账账户费请储点数积词图审违规内黄过单无权没错误参应检测触发范准则条绝拦统暂线开钥证认鉴鉴验访问许试后钟个时连断为当还将网号长围冻结预响于却台尽态滤状确败区';

const SIMPLIFIED_BY_TRADITIONAL = new Map(
  [...TRADITIONAL].map((char, index) => [char, SIMPLIFIED[index] ?? char]),
);

/** Converts the characters that the signs of errors use to simplified Chinese. */
export function simplified(text: string): string {
  return text.replaceAll(/\p{Script=Han}/gu, (char) => SIMPLIFIED_BY_TRADITIONAL.get(char) ?? char);
}
