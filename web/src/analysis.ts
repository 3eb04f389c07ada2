// Parameters of an analysis, asked for again as they are changed: the server computes, and what it answers takes the place of
// what stands there. Without this script the same form is sent by its button.
//
// Parts of the page that an answer replaces carry `data-part`; the form carries `data-again`, and the words that it may say.

/** Waits for the end of typing. */
const PAUSE_MS = 350;

const form = document.querySelector<HTMLFormElement>('form[data-again]');
if (form !== null) begin(form);

function begin(form: HTMLFormElement): void {
  const status = form.querySelector<HTMLElement>('[role=status]');
  let timer = 0;
  let asking: AbortController | undefined;

  const say = (text: string, isFault = false): void => {
    if (status === null) return;
    status.textContent = text;
    status.classList.toggle('fault', isFault);
  };

  const ask = async (): Promise<void> => {
    clearTimeout(timer);
    asking?.abort();
    const own = asking = new AbortController();
    const address = addressOf(form);
    say(form.dataset['computing'] ?? '');
    form.setAttribute('aria-busy', 'true');
    try {
      const answer = await fetch(address, { signal: own.signal, credentials: 'same-origin' });
      const page = new DOMParser().parseFromString(await answer.text(), 'text/html');
      if (!answer.ok) {
        say(faultOf(page) ?? form.dataset['failed'] ?? '', true);
        return;
      }
      replace(page);
      fill(form, page);
      history.replaceState(null, '', address);
      say(form.dataset['done'] ?? '');
    } catch {
      // A newer question took this one's place: it has its own words.
      if (!own.signal.aborted) say(form.dataset['failed'] ?? '', true);
    } finally {
      if (asking === own) form.removeAttribute('aria-busy');
    }
  };

  form.addEventListener('input', (event) => {
    clearTimeout(timer);
    const chosen = event.target instanceof HTMLSelectElement;
    timer = window.setTimeout(() => void ask(), chosen ? 0 : PAUSE_MS);
  });
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    void ask().then(() => document.getElementById('spread')?.scrollIntoView());
  });
}

/** What the form asks for, as the browser would send it, without what is empty. */
function addressOf(form: HTMLFormElement): string {
  const address = new URL(form.action);
  const asked = new URLSearchParams();
  for (const [name, value] of new FormData(form)) {
    if (typeof value === 'string' && value !== '') asked.append(name, value);
  }
  address.search = asked.toString();
  address.hash = '';
  return address.href;
}

/** What the server says is wrong. */
function faultOf(page: Document): string | undefined {
  const items = [...page.querySelectorAll('.error-page li')].map((item) => item.textContent?.trim() ?? '');
  return items.length > 0 ? items.join(' ') : undefined;
}

/** Puts the parts of an answer in the place of those that stand here. What a reader had opened stays open. */
function replace(page: Document): void {
  for (const old of document.querySelectorAll<HTMLElement>('[data-part]')) {
    const name = old.dataset['part'] ?? '';
    const next = page.querySelector<HTMLElement>(`[data-part="${CSS.escape(name)}"]`);
    if (next === null) continue;
    const open = [...old.querySelectorAll('details')].map((one) => one.open);
    const taken = document.adoptNode(next);
    taken.querySelectorAll('details').forEach((one, place) => { one.open = open[place] ?? one.open; });
    old.replaceWith(taken);
  }
}

/** The values that were computed with: another disease has other delays. What is being typed in is left alone. */
function fill(form: HTMLFormElement, page: Document): void {
  for (const field of form.querySelectorAll<HTMLInputElement | HTMLSelectElement>('input, select')) {
    const next = page.querySelector<HTMLInputElement | HTMLSelectElement>(
      `form[data-again] [name="${CSS.escape(field.name)}"]`,
    );
    if (next !== null && field !== document.activeElement) field.value = next.value;
  }
}
