/** A word of Stripe's, or an error's, that is fit to be stored and shown. */
export const codeOf = (code: unknown): string | undefined =>
  typeof code === 'string' && /^[A-Za-z0-9_-]{1,64}$/.test(code) ? code : undefined;
