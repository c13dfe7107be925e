import { DecoratorHandler, type Dispatcher } from "./undici.ts";

/** undici's own types leave out the methods that `DecoratorHandler` passes on. */
const passOn = DecoratorHandler.prototype as Dispatcher.DispatchHandler;

/**
 * Runs a check at the one moment undici announces a request: the connection stands (TLS and proxy tunnel
 * included) and nothing has been written. A handler that throws there cancels the request unsent.
 */
class BeforeRequestHandler extends DecoratorHandler implements Dispatcher.DispatchHandler {
  readonly #check: () => void;

  constructor(handler: Dispatcher.DispatchHandler, check: () => void) {
    super(handler);
    this.#check = check;
  }

  onRequestStart(controller: Dispatcher.DispatchController, context: unknown): void {
    this.#check();
    passOn.onRequestStart?.call(this, controller, context);
  }
}

/** An interceptor that calls `check` just before the request is written. */
export function beforeRequest(check: () => void): Dispatcher.DispatcherComposeInterceptor {
  return (dispatch) => (options, handler) => dispatch(options, new BeforeRequestHandler(handler, check));
}
