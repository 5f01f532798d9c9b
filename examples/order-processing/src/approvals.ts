import { ledger } from './ledger.js';
import type { ApprovalRequest } from './order.js';

const LOOK_EVERY_MS = 20;

/** The question that the workflow put to a person about this order, as soon as it did. */
export async function approvalRequest(orderId: string): Promise<ApprovalRequest> {
  for (;;) {
    for (const line of await ledger.store.lines()) {
      const asked = line.type === 'effect' && line.step === 'ask-for-approval' && line.orderId === orderId;
      if (asked) return line.result as ApprovalRequest;
    }
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
  }
}
