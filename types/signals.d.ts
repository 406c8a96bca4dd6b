// pipewright/signals: signals as events, on worker threads too. See
// docs/child_process.md, "pipewright/signals".

export interface SignalWatcher {
  /** The signal's name. */
  readonly signal: NodeJS.Signals;
  /** Stops watching. */
  stop(): void;
  /** Lets the program end while this watches. */
  unref(): this;
  ref(): this;
  [Symbol.dispose](): void;
}

/** Calls `listener` whenever this process gets the signal. */
export function watchSignal(
  signal: NodeJS.Signals | number,
  listener: (name: NodeJS.Signals, number: number) => void,
): SignalWatcher;
