import { seededRandom } from '../../test/support/random.ts';

const SUBJECTS = {
  en: [
    'the street',
    'the portrait',
    'this kitchen',
    'the old harbour',
    'a mountain lake',
    'the shop window',
    'my dog',
    'the bicycle',
    'the wedding table',
    'the lighthouse',
  ],
  zh: [
    '这条街道',
    '人物肖像',
    '厨房',
    '老港口',
    '山间湖泊',
    '橱窗',
    '我的狗',
    '自行车',
    '婚礼餐桌',
    '灯塔',
  ],
  ja: [
    'この通り',
    '人物の肖像',
    '台所',
    '古い港',
    '山の湖',
    'ショーウィンドウ',
    '私の犬',
    '自転車',
    '結婚式の食卓',
    '灯台',
  ],
  de: [
    'die Straße',
    'das Porträt',
    'diese Küche',
    'den alten Hafen',
    'den Bergsee',
    'das Schaufenster',
    'meinen Hund',
    'das Fahrrad',
    'den Hochzeitstisch',
    'den Leuchtturm',
  ],
  ru: [
    'улицу',
    'портрет',
    'кухню',
    'старую гавань',
    'горное озеро',
    'витрину',
    'мою собаку',
    'велосипед',
    'свадебный стол',
    'маяк',
  ],
} as const;
const CHANGES = {
  en: [
    'make it autumn',
    'add soft morning light',
    'remove the people in the background',
    'turn it into a watercolour',
    'replace the sky with clouds',
    'give it the look of a 1970s film',
    'make the colours warmer',
    'paint it in oil',
    'let it snow',
    'blur the background',
  ],
  zh: [
    '改成秋天',
    '加上柔和的晨光',
    '去掉背景里的人',
    '变成水彩画',
    '把天空换成云',
    '做出七十年代胶片的效果',
    '让颜色更温暖',
    '画成油画',
    '下雪',
    '虚化背景',
  ],
  ja: [
    '秋にする',
    '柔らかい朝の光を加える',
    '背景の人を消す',
    '水彩画にする',
    '空を雲に替える',
    '七十年代のフィルム風にする',
    '色を暖かくする',
    '油絵にする',
    '雪を降らせる',
    '背景をぼかす',
  ],
  de: [
    'mach es herbstlich',
    'füge weiches Morgenlicht hinzu',
    'entferne die Leute im Hintergrund',
    'mach ein Aquarell daraus',
    'ersetze den Himmel durch Wolken',
    'gib ihm den Look eines Films der 70er',
    'mach die Farben wärmer',
    'male es in Öl',
    'lass es schneien',
    'mach den Hintergrund unscharf',
  ],
  ru: [
    'сделай осень',
    'добавь мягкий утренний свет',
    'убери людей на фоне',
    'преврати в акварель',
    'замени небо облаками',
    'придай вид плёнки 70-х',
    'сделай цвета теплее',
    'нарисуй маслом',
    'пусть идёт снег',
    'размой фон',
  ],
} as const;
const LANGUAGES = ['en', 'en', 'zh', 'zh', 'ja', 'de', 'ru'] as const;
const SYLLABLES = ['ka', 'lo', 'mi', 'ran', 'tes', 'vo', 'ul', 'shi', 'pe', 'gor', 'ne', 'wy'];

/** Words that the bench searches for, and where in time they stand. */
export const TERMS = {
  /** In every seventh prompt or so. */
  common: 'autumn',
  /** In one prompt of each owner. */
  rare: 'zeppelin',
  /** In every fifth prompt or so. */
  chinese: '背景',
  /** In one of a thousand prompts. */
  rareChinese: '麒麟',
  /** In half of all. */
  oneCharacter: 'e',
  oneChinese: '的',
  /** In a fourth of the oldest twentieth of the prompts, and in no newer ones. */
  onlyOld: 'daguerreotype',
  /** In all of the oldest half, and in no newer ones. */
  oldHalf: 'kodachrome',
  none: 'xylophonist',
} as const;

/** The text of one owner's prompt at a place in time, from 0 to 1; each is another. */
export function promptAt(owner: number, index: number, place: number): string {
  const random = seededRandom(owner * 1_000_003 + index);
  const pick = <Item>(items: readonly Item[]): Item =>
    items[Math.floor(random() * items.length)] as Item;
  const language = pick(LANGUAGES);
  const joint = language === 'zh' || language === 'ja' ? '，' : ', ';
  const words = [`${pick(CHANGES[language])}${joint}${pick(SUBJECTS[language])}`];
  if (random() < 0.5) words.push(pick(CHANGES[language]));
  // A name that no other prompt has.
  words.push(`${pick(SYLLABLES)}${pick(SYLLABLES)}${pick(SYLLABLES)} ${index}`);
  if (index % 1_000 === 500) words.push(TERMS.rareChinese);
  if (index === 7) words.push(TERMS.rare);
  if (place < 0.05 && index % 4 === 0) words.push(TERMS.onlyOld);
  if (place < 0.5) words.push(TERMS.oldHalf);
  return words.join(joint);
}
