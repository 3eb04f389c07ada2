// Elements from words: the one way in which the room makes what is seen. Text is always text, never markup.

type Child = Node | string | null | undefined | false;

/** Attributes by name; `true` is an attribute without value, `false` and `undefined` are none. `on…` are listeners. */
export type Attributes = Record<string, string | number | boolean | undefined | ((event: Event) => void)>;

/** An element with attributes and children. */
export function h<K extends keyof HTMLElementTagNameMap>(
  name: K, attributes: Attributes = {}, ...children: Child[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (typeof value === 'function') element.addEventListener(key.slice(2), value);
    else set(element, key, value);
  }
  element.append(...children.filter((child): child is Node | string => child != null && child !== false));
  return element;
}

/** Sets an attribute, or takes it away. What is as it should be is not touched: a screen reader hears of every change. */
export function set(element: Element, key: string, value: string | number | boolean | undefined): void {
  if (value === undefined || value === false) {
    if (element.hasAttribute(key)) element.removeAttribute(key);
  } else {
    const text = value === true ? '' : String(value);
    if (element.getAttribute(key) !== text) element.setAttribute(key, text);
  }
}

/** Sets an element's text if it is another. */
export function write(element: Element, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}

/** Shows or hides an element. */
export function show(element: HTMLElement, shown: boolean): void {
  if (element.hidden === shown) element.hidden = !shown;
}

const SVG = 'http://www.w3.org/2000/svg';

// Drawn on a square of 20, with a line of 1.6, in the colour of the words beside them.
const ICONS = {
  microphone: 'M7.5 4.5a2.5 2.5 0 0 1 5 0v5a2.5 2.5 0 0 1-5 0zM4.5 9.5a5.5 5.5 0 0 0 11 0M10 15v3M7 18h6',
  'microphone-off': 'M7.5 7.5v2a2.5 2.5 0 0 0 4 2M12.5 8.5v-4a2.5 2.5 0 0 0-4.9-.7M4.5 9.5a5.5 5.5 0 0 0 8.4 4.7M15.5 9.5a5.5 5.5 0 0 1-.6 2.5M10 15v3M7 18h6M3 2.5l14 15',
  camera: 'M2.5 5.5h10v9h-10zM12.5 9l5-3v8l-5-3',
  'camera-off': 'M6 5.5h6.5v6M12.5 9l5-3v8l-3-1.8M11 14.5H2.5v-9h.5M3 2.5l14 15',
  screen: 'M2.5 3.5h15v10h-15zM7 17h6M10 13.5V17M10 6v5M7.8 8l2.2-2 2.2 2',
  grid: 'M3 3h6v6H3zM11 3h6v6h-6zM3 11h6v6H3zM11 11h6v6h-6z',
  large: 'M2.5 3h15v9h-15zM2.5 14.5h4v3h-4zM8 14.5h4v3H8zM13.5 14.5h4v3h-4z',
  people: 'M7 9a2.8 2.8 0 1 0 0-5.6A2.8 2.8 0 0 0 7 9zM1.8 16.5c0-3 2.3-5 5.2-5s5.2 2 5.2 5M13 9a2.5 2.5 0 0 0 0-5M14.5 11.8c2.2.6 3.7 2.3 3.7 4.7',
  devices: 'M3 5.5h6M13 5.5h4M3 10h2M9 10h8M3 14.5h8M15 14.5h2M11 5.5a2 2 0 1 0 .01 0M7 8a2 2 0 1 0 .01 0M13 12.5a2 2 0 1 0 .01 0',
  leave: 'M11 3H4v14h7M8.5 10H18M14.5 6.5L18 10l-3.5 3.5',
  lock: 'M5 9h10v8H5zM7 9V6.5a3 3 0 0 1 6 0V9',
  pin: 'M7 2.5h6l-.8 6 2.8 3H5l2.8-3zM10 11.5V18',
  speaking: 'M4 8v4M8 5v10M12 7v6M16 9v2',
  sound: 'M3 7.5h3l4-3.5v12l-4-3.5H3zM13 7a4 4 0 0 1 0 6M15.5 4.5a8 8 0 0 1 0 11',
  next: 'M7.5 3.5L14 10l-6.5 6.5',
  previous: 'M12.5 3.5L6 10l6.5 6.5',
  close: 'M4.5 4.5l11 11M15.5 4.5l-11 11',
} as const;

/** The name of a drawing. */
export type Icon = keyof typeof ICONS;

/** A drawing; it says nothing that the words beside it do not say. */
export function icon(name: Icon): SVGSVGElement {
  const svg = document.createElementNS(SVG, 'svg');
  const path = document.createElementNS(SVG, 'path');
  set(svg, 'viewBox', '0 0 20 20');
  set(svg, 'class', `icon icon-${name}`);
  set(svg, 'aria-hidden', 'true');
  svg.append(path);
  draw(svg, name);
  return svg;
}

/** Puts another drawing in the place of one. */
export function draw(svg: SVGSVGElement, name: Icon): void {
  if (svg.firstElementChild) set(svg.firstElementChild, 'd', ICONS[name]);
  set(svg, 'class', `icon icon-${name}`);
}
