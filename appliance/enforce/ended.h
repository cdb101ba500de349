/* SPDX-License-Identifier: Apache-2.0 */
/* Sessions whose time is over: their permit's, or their conduit's limits. */
#ifndef SEKISHO_ENFORCE_ENDED_H
#define SEKISHO_ENFORCE_ENDED_H

struct enforce;
struct generation_held;

/* Reports sessions whose permit has just ended by time. Returns the milliseconds until there may be
 * more, -1 = not soon. */
int enforce_ended(struct enforce *f);
/* As enforce_ended, for the generation `old`, which another one has just replaced: reports the
 * sessions that were not reported yet. */
void enforce_ended_leave(struct enforce *f, const struct generation_held *old);
/* If it is time to, reads the sessions that have a limit, reports those whose time is over, and
 * removes elements of sessions that are gone. Returns the milliseconds until the next time, -1 =
 * not soon. */
int enforce_lasting(struct enforce *f);

#endif
