/** How a card of the sandbox behaves; a payment's `payment_method` names it. */
export type SandboxCard =
  | { readonly kind: 'approve' }
  | { readonly kind: 'decline'; readonly declineCode: string }
  | { readonly kind: 'delay'; readonly delayMs: number }
  | { readonly kind: 'hang' }
  | { readonly kind: 'approve-then-drop' }
  | { readonly kind: 'twice' };

/** As lines of a command's help. */
export const sandboxCardsHelp: readonly string[] = [
  '  approve, pm_card_visa        is charged',
  '  decline-CODE                 is declined: decline-insufficient-funds has the code insufficient_funds',
  '  delay-MS                     is charged MS milliseconds later',
  '  hang                         is never answered, and never charged',
  '  approve-then-drop            is charged, and the connection breaks before the answer',
  '  twice                        is worked on twice under its key, charged once, and answered twice',
];

export const delayMsMax = 600_000;

/** Undefined for a card that the sandbox does not know. */
export function sandboxCard(token: string): SandboxCard | undefined {
  switch (token) {
    case 'approve':
    case 'pm_card_visa':
      return { kind: 'approve' };
    case 'hang':
    case 'approve-then-drop':
    case 'twice':
      return { kind: token };
  }
  const [, declineCode] = /^decline-([a-z0-9]+(?:[-_][a-z0-9]+)*)$/.exec(token) ?? [];
  if (declineCode !== undefined) return { kind: 'decline', declineCode: declineCode.replaceAll('-', '_') };
  const [, delay] = /^delay-([0-9]{1,6})$/.exec(token) ?? [];
  if (delay !== undefined && Number(delay) <= delayMsMax) return { kind: 'delay', delayMs: Number(delay) };
  return undefined;
}
