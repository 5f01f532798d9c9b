/** What a customer asks for. Amounts are in cents. */
export interface Order {
  readonly id: string;
  readonly customer: string;
  readonly items: readonly OrderItem[];
}

/** One line of an order. */
export interface OrderItem {
  readonly sku: string;
  readonly quantity: number;
  readonly priceCents: number;
}

/** Money taken from the customer. */
export interface Payment {
  readonly orderId: string;
  readonly paymentId: string;
  readonly amountCents: number;
}

/** Goods set aside in the warehouse. */
export interface Reservation {
  readonly orderId: string;
  readonly reservationId: string;
  readonly items: readonly OrderItem[];
}

/** A question to a person; the answer goes to `promiseId`. */
export interface ApprovalRequest {
  readonly orderId: string;
  readonly amountCents: number;
  readonly promiseId: string;
}

/** What the person said. */
export interface Approval {
  readonly approved: boolean;
  readonly by: string;
  readonly note?: string;
}

/** A parcel on its way. */
export interface Shipment {
  readonly trackingCode: string;
}

/** How an order ended: shipped, or cancelled with everything undone. */
export type OrderResult =
  | {
      readonly status: 'shipped';
      readonly orderId: string;
      readonly paymentId: string;
      readonly trackingCode: string;
    }
  | { readonly status: 'cancelled'; readonly orderId: string; readonly reason: string };

/** The price of all items, in cents. */
export function totalCents(items: readonly OrderItem[]): number {
  return items.reduce((sum, item) => sum + item.quantity * item.priceCents, 0);
}
