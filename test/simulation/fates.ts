/** What becomes of a commit whose answer nobody gets. */
export type CommitFate = 'landed' | 'not-landed' | 'later';
/** lost before it arrived; unanswered; late: given up, and then it arrives. */
export type GatewayFate = 'not-sent' | 'lost' | 'unanswered' | 'late';
