/** What a customer can subscribe to. */
export interface Plan {
  readonly name: string;
  readonly priceCents: number;
}

/** One period that was paid for. */
export interface Bill {
  readonly plan: string;
  readonly amountCents: number;
}

/** Whose subscription it is, and how it begins. */
export interface Subscription {
  readonly customer: string;
  readonly plan: Plan;
  /** How long one period is, in milliseconds; a month in earnest. */
  readonly periodMs: number;
}

export const basic: Plan = { name: 'basic', priceCents: 500 };
export const pro: Plan = { name: 'pro', priceCents: 1_500 };
