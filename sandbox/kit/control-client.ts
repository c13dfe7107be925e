/** The stand-in refused a control request: the script or test is wrong. */
export class ControlError extends Error {
  override readonly name = "ControlError";
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** Drives a running stand-in over HTTP. Every call throws {@link ControlError} when it is refused. */
export class ControlClient<Rule, Settings, Entry, State> {
  readonly #base: string;

  /**
   * @param endpoint as the stand-in printed it, e.g. `http://127.0.0.1:8080`.
   * @param prefix the path that everything of the control lies below.
   */
  constructor(endpoint: string, prefix: string) {
    this.#base = `${endpoint}${prefix}`;
  }

  /** Adds fault rules behind those there are. */
  async scriptFaults(...rules: readonly Rule[]): Promise<void> {
    await this.call("POST", "/faults", rules);
  }

  async clearFaults(): Promise<void> {
    await this.call("DELETE", "/faults");
  }

  /** Only the named settings change. */
  async changeSettings(patch: Settings): Promise<void> {
    await this.call("PATCH", "/settings", patch);
  }

  /** @param after only requests with a greater `n`. */
  async requests(after = 0): Promise<Entry[]> {
    return await this.call<Entry[]>("GET", `/requests?after=${after}`);
  }

  /** What the stand-in holds, and how far its fault rules are. */
  async state(): Promise<State> {
    return await this.call<State>("GET", "/state");
  }

  protected async call<T>(method: string, path: string, body?: unknown): Promise<T> {
    const response = await this.send(method, path, body);
    return (await response.json()) as T;
  }

  protected async send(method: string, path: string, body?: unknown): Promise<Response> {
    const sent = body === undefined ? {} : { body: JSON.stringify(body) };
    const response = await fetch(`${this.#base}${path}`, { method, ...sent });
    if (!response.ok) {
      const text = await response.text();
      throw new ControlError(response.status, `the stand-in refused ${method} ${path}: ${text}`);
    }
    return response;
  }
}
