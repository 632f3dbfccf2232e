/** A date and time as ISO 8601 writes it: "2000-01-01T00:00:00Z". */
export type Timestamp = string;

/** All that the server tells of a fault: level, code, description, and what the service added. */
export interface Information {
	code?: unknown;
	description?: unknown;
	[name: string]: unknown;
}

/** What a call came to instead of a result. */
export class Fault extends Error {
	/** A dotted code: "Client.BadArguments". */
	readonly code: string;
	/** The status of the HTTP response. */
	readonly status: number;
	readonly information: Information;

	constructor(status: number, information: Information) {
		super(String(information.description ?? `HTTP status ${status}`));
		this.name = 'Fault';
		this.code = String(information.code ?? '');
		this.status = status;
		this.information = information;
	}
}

export interface Options {
	/** Sent with every call. */
	headers?: Record<string, string>;
	/** Sends a call; the global fetch if it is not given. */
	fetch?: typeof fetch;
	/** Whether cookies travel; fetch's own default is this site's pages only. */
	credentials?: RequestCredentials;
	/** Ends calls. */
	signal?: AbortSignal;
}

type Arguments = readonly unknown[] | Record<string, unknown>;

/** One call after another through a gateway's JSON door. */
class Door {
	readonly #url: string;
	readonly #options: Options;

	constructor(url: string, options: Options) {
		this.#url = url.endsWith('/') ? url : `${url}/`;
		this.#options = options;
	}

	async call<Result>(path: string, args: Arguments): Promise<Result> {
		const { headers, fetch: send = fetch, ...rest } = this.#options;
		const response = await send(`${this.#url}json/${path}/`, {
			...rest,
			method: 'POST',
			headers: { 'Content-Type': 'application/json', ...headers },
			body: JSON.stringify(args),
		});
		const answer = parsed(await response.text());
		if (answer?.fault !== undefined) {
			throw new Fault(response.status, answer.fault);
		}
		// Not the door's answer: a proxy's page, say.
		if (!response.ok || answer === undefined) throw new Fault(response.status, {});
		return answer.result as Result;
	}

	/** Arguments by position, without those at the end that are not given. */
	static given(...args: unknown[]): unknown[] {
		while (args.length && args[args.length - 1] === undefined) args.pop();
		return args;
	}
}

function parsed(text: string): { result?: unknown; fault?: Information } | undefined {
	try {
		return JSON.parse(text);
	} catch {
		return undefined;
	}
}
