import { refusedParameter, type SandboxReply } from './stripe-shapes.ts';

/** The parameters of a new payment intent, as far as the sandbox looks at them. */
export interface IntentForm {
  readonly amount: number;
  readonly currency: string;
  readonly metadata: Readonly<Record<string, string>>;
  readonly isConfirmed: boolean;
  readonly cardToken: string | undefined;
}

/** Eight digits, as at Stripe. */
const amountMax = 99_999_999;

/** The parameters, or how Stripe refuses them. */
export function parseIntentForm(form: URLSearchParams): IntentForm | SandboxReply {
  const amount = parseAmount(form.get('amount'));
  if (typeof amount !== 'number') return amount;
  const currency = form.get('currency');
  if (currency === null) return refusedParameter('currency', 'parameter_missing', 'Missing: currency.');
  if (!/^[a-z]{3}$/.test(currency)) {
    return refusedParameter('currency', 'currency_invalid', 'Invalid currency.');
  }
  return {
    amount,
    currency,
    metadata: metadataOf(form),
    isConfirmed: form.get('confirm') === 'true',
    cardToken: form.get('payment_method') ?? undefined,
  };
}

export function metadataOf(form: URLSearchParams): Readonly<Record<string, string>> {
  const entries = [...form].flatMap(([name, value]) => {
    const [, key] = /^metadata\[([^\]]{1,40})\]$/.exec(name) ?? [];
    return key === undefined ? [] : [[key, value] as const];
  });
  return Object.fromEntries(entries);
}

function parseAmount(text: string | null): number | SandboxReply {
  if (text === null) return refusedParameter('amount', 'parameter_missing', 'Missing: amount.');
  if (!/^-?[0-9]{1,15}$/.test(text)) {
    return refusedParameter('amount', 'parameter_invalid_integer', 'Invalid integer.');
  }
  const amount = Number(text);
  if (amount < 1) {
    return refusedParameter(
      'amount',
      'parameter_invalid_integer',
      'This value must be greater than or equal to 1.',
    );
  }
  return amount > amountMax
    ? refusedParameter('amount', 'amount_too_large', 'Amount must be no more than 999,999.99.')
    : amount;
}
