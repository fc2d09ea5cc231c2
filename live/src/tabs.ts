// The tabs of a headless session, which draws no strip of its own.
import type { Controls } from './controls.ts';
import { element, withText } from './elements.ts';
import type { Tab } from './messages.ts';

export class Tabs {
  readonly #strip = element('tabs', HTMLElement);
  readonly #controls: Controls;
  #tabs: Tab[] = [];

  constructor(controls: Controls) {
    this.#controls = controls;
  }

  show(tabs: Tab[]): void {
    this.#tabs = tabs;
    this.refresh();
  }

  /** Again, for who may choose among them has changed. */
  refresh(): void {
    const focused = this.#strip.contains(document.activeElement)
      ? (document.activeElement as HTMLElement).dataset['tab']
      : undefined;
    const buttons = this.#tabs.map((tab) => this.#buttonOf(tab));
    this.#strip.replaceChildren(...buttons);
    this.#strip.hidden = buttons.length === 0;
    buttons.find(({ dataset }) => dataset['tab'] === focused)?.focus();
  }

  #buttonOf(tab: Tab): HTMLButtonElement {
    const made = withText('button', tab.title || tab.url || 'New tab');
    made.type = 'button';
    made.title = tab.url;
    made.dataset['tab'] = tab.id;
    made.disabled = !this.#controls.driving;
    if (tab.active) made.setAttribute('aria-current', 'true');
    made.addEventListener('click', () => this.#controls.send({ type: 'tab', id: tab.id }));
    return made;
  }
}
