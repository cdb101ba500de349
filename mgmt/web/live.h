/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pages that stay open learn what changes: each has a stream of server-sent events (docs/json.md,
 * "live"). For all of them together there is one turn every two seconds: the box is asked for its
 * state, then accounts, one stream after the other, whether that session still stands and what it
 * may see at this moment; only then its stream gets any of it, and the journal is asked, in its
 * name, for what was recorded since. One question is on its way at a time. While nobody looks the
 * box is asked twice a minute, so that whoever comes is told since when something is wrong. Being
 * asked about so does not count as use of a session: a page that nobody touches ends as it did.
 *
 * A stream holds what one turn brings and no more. Who has not taken that when LIVE_SLOW_S have
 * passed is let go; what was recorded meanwhile it can ask for when it comes back.
 */
#ifndef SEKISHO_MGMT_WEB_LIVE_H
#define SEKISHO_MGMT_WEB_LIVE_H

#include <microhttpd.h>

#include "appliance/base/clock.h"
#include "appliance/wire/msg.h"
#include "mgmt/state/seen.h"

#define LIVE_STREAMS 16u
#define LIVE_EACH 4u /* of one account; the box's own token counts as one */
#define LIVE_TURN_MS 2000u
#define LIVE_IDLE_MS 30000u /* ... while nobody looks */
#define LIVE_SOON_MS 250u   /* between two turns at least: somebody has just come, or is behind */
#define LIVE_SLOW_S 10u
#define LIVE_ASK_S 3u
#define LIVE_RECORDS 100u   /* of one turn */
#define LIVE_BEHIND 2000u   /* records that a page can miss and still gets all of them */
#define LIVE_FLOW_MS 10000u /* the rules' counters; longer where reading them takes long */

struct live;
struct stream;

/* What a page asked for with its stream. */
struct live_wish {
	bool own; /* by the box's own token: nobody is asked about it */
	/* else: what accounts is asked; the rest of it is filled in here. Its address in
	 * any case */
	struct msg_judge who;
	const char *name; /* whose it is; "" with `own` */
	bool flow;	  /* the counters of the rules as well */
	bool resumes;	  /* it has seen records up to `after` */
	uint64_t after;
};

/* Questions go out by `control_fd`, numbered by *last_id, which others count up as well. NULL
 * without memory. */
struct live *live_open(int control_fd, uint32_t *last_id);
void live_close(struct live *v); /* accepts NULL */

/* A place of its own, left by live_leave; NULL: there are too many already. `fd`: the connection's
 * socket, only ever shut down here. */
struct stream *live_join(struct live *v, struct MHD_Connection *c, int fd, const struct live_wish *w, uint64_t now_ns);
void live_leave(struct stream *s); /* accepts NULL */
/* libmicrohttpd asks for more of it; `cls` is the stream. */
ssize_t live_read(void *cls, uint64_t at, char *buf, size_t most);

/* Readable when somebody who waits for his stream's next word has hung up; live_gone lets him go at
 * once, so that his place is free again. */
int live_gone_fd(const struct live *v);
void live_gone(struct live *v);
/* Does what is due; `room`: whether the box may be asked one more question now. */
void live_run(struct live *v, uint64_t now_ns, bool room);
/* True: the answer was to a question of ours. Its descriptor is taken out when there is one. */
bool live_answer(struct live *v, struct msg *m, uint64_t now_ns);
/* How far the question is that a page of whoever has this session or token calls `ask`: to all
 * streams that he has, where one has nothing else to take. */
void live_progress(struct live *v, enum credential what, const uint8_t secret[32], uint32_t ask,
		   const struct msg_progress *p, uint64_t now_ns);
uint64_t live_next_ns(const struct live *v); /* UINT64_MAX = nothing to do */
struct seen *live_seen(struct live *v);	     /* what is wrong, since when; as long as `v` */
bool live_asks(const struct live *v);	     /* a question is on its way */
/* Every stream ends with what it has been told; before libmicrohttpd is stopped. */
void live_end(struct live *v);

#endif
