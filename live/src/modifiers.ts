// The modifier keys of an event, in the bits of DevTools' Input domain.

export type WithModifiers = Pick<
  MouseEvent | KeyboardEvent,
  'altKey' | 'ctrlKey' | 'metaKey' | 'shiftKey' | 'getModifierState'
>;

export function modifiersOf(event: WithModifiers): number {
  // Windows says Ctrl and Alt for AltGr, but "@" on a German keyboard is no shortcut.
  const plain = event.getModifierState('AltGraph');
  return (
    (event.altKey && !plain ? 1 : 0) |
    (event.ctrlKey && !plain ? 2 : 0) |
    (event.metaKey ? 4 : 0) |
    (event.shiftKey ? 8 : 0)
  );
}
