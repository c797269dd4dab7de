/** A fault that another thread has told of: its own stack was left behind there, and ours would say nothing. */
export const relayedFault = (message: string): Error => Object.assign(new Error(message), { stack: message });
