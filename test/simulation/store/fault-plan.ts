import type { CommitFate, GatewayFate } from '../fates.ts';
import type { FailingCall } from '../operation.ts';

/** A commit, or a transfer, whose answer is lost, and what the database makes of it all the same. */
export interface LostAnswer {
  readonly fate: CommitFate;
  /** Turns that it is still on its way, where it lands later. */
  readonly delayTurns: number;
}

/** A call of the gateway that goes wrong, and how. */
export interface GatewayFault {
  readonly fate: GatewayFate;
  /** Turns that it is still on its way, where it arrives late. */
  readonly delayTurns: number;
}

/** The faults that the script has asked for and that no call has met yet. */
export class FaultPlan {
  readonly #failures = new Map<FailingCall, number>();
  readonly #lostAnswers: LostAnswer[] = [];
  readonly #lostTransfers: LostAnswer[] = [];
  readonly #workerDeaths: LostAnswer[] = [];
  readonly #gatewayFaults: GatewayFault[] = [];
  #gatewayRests = 0;

  failNext(call: FailingCall, count: number): void {
    this.#failures.set(call, (this.#failures.get(call) ?? 0) + count);
  }

  loseNext(lost: LostAnswer): void {
    this.#lostAnswers.push(lost);
  }

  /** Whether the call that is about to reach the database fails. */
  takeFailure(call: FailingCall): boolean {
    const planned = ([call, 'any'] as const).find((kind) => (this.#failures.get(kind) ?? 0) > 0);
    if (planned === undefined) return false;
    this.#failures.set(planned, (this.#failures.get(planned) ?? 0) - 1);
    return true;
  }

  takeLostAnswer(): LostAnswer | undefined {
    return this.#lostAnswers.shift();
  }

  /** The answer to the next transfer of shards is lost. */
  loseNextTransfer(lost: LostAnswer): void {
    this.#lostTransfers.push(lost);
  }

  takeLostTransfer(): LostAnswer | undefined {
    return this.#lostTransfers.shift();
  }

  /** A worker of the ledger dies over its next batch. */
  killWorker(death: LostAnswer): void {
    this.#workerDeaths.push(death);
  }

  takeWorkerDeath(): LostAnswer | undefined {
    return this.#workerDeaths.shift();
  }

  breakGateway(fault: GatewayFault, count: number): void {
    for (let i = 0; i < count; i++) this.#gatewayFaults.push(fault);
  }

  takeGatewayFault(): GatewayFault | undefined {
    return this.#gatewayFaults.shift();
  }

  /** The next payments by card find the gateway's breaker open. */
  restGateway(count: number): void {
    this.#gatewayRests += count;
  }

  takeGatewayRest(): boolean {
    if (this.#gatewayRests === 0) return false;
    this.#gatewayRests -= 1;
    return true;
  }

  clear(): void {
    this.#failures.clear();
    this.#lostAnswers.length = 0;
    this.#lostTransfers.length = 0;
    this.#workerDeaths.length = 0;
    this.#gatewayFaults.length = 0;
    this.#gatewayRests = 0;
  }
}
