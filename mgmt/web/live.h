/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Streams of server-sent events for open pages (docs/json.md, "live"). One turn every two seconds
 * serves all streams. First the box is asked for its state. Then, for one stream after the other,
 * accounts is asked whether its session is still valid and what it may see now. Only then does the
 * stream get its events; new records are requested from the journal in the name of the stream's
 * owner. One question is in progress at a time. Without any stream, the box is asked twice a
 * minute, so that a new page learns since when something is wrong. These questions do not count as
 * use of a session, so a page that nobody touches is logged out as before.
 *
 * A stream holds the events of one turn only. A page that has not taken them after LIVE_SLOW_S is
 * disconnected; it can request the missed records when it comes back.
 */
#ifndef SEKISHO_MGMT_WEB_LIVE_H
#define SEKISHO_MGMT_WEB_LIVE_H

#include <microhttpd.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "appliance/base/clock.h"
#include "appliance/wire/msg.h"
#include "appliance/wire/said.h"
#include "mgmt/web/api/routes.h"

#define LIVE_STREAMS 16u
#define LIVE_EACH 4u /* streams of one account; the box's own token counts as one account */
#define LIVE_TURN_MS 2000u
#define LIVE_IDLE_MS 30000u /* time between two turns while no page is open */
/* shortest time between two turns, when a new page has come or a stream is behind */
#define LIVE_SOON_MS 250u
#define LIVE_SLOW_S 10u
#define LIVE_ASK_S 3u
#define LIVE_RECORDS 100u /* most records that a stream gets in one turn */
#define LIVE_BEHIND 2000u /* records that a page may have missed and still gets */
/* time between two readings of the rules' counters; longer if reading them takes long */
#define LIVE_FLOW_MS 10000u

struct live;
struct stream;

/* The request for a stream. */
struct live_wish {
	bool own; /* opened with the box's own token, so accounts is not asked */
	/* else the question for accounts, which is completed here; in both cases it has the
	 * client's address */
	struct msg_judge who;
	const char *name; /* the owner's name; "" with `own` */
	bool flow;	  /* wants the counters of the rules as well */
	bool resumes;	  /* has seen the records up to `after` */
	uint64_t after;
};

/* Questions are sent on `control_fd`, numbered by *last_id, which other modules increment as well.
 * NULL without memory. */
struct live *live_open(int control_fd, uint32_t *last_id);
void live_close(struct live *v); /* accepts NULL */

/* Takes a place for a stream, until live_leave; NULL: there are too many streams. `fd`: the
 * connection's socket, which is only shut down here. */
struct stream *live_join(struct live *v, struct MHD_Connection *c, int fd, const struct live_wish *w, uint64_t now_ns);
void live_leave(struct stream *s); /* accepts NULL */
/* Called by libmicrohttpd for the next bytes; `cls` is the stream. */
ssize_t live_read(void *cls, uint64_t at, char *buf, size_t most);

/* Becomes readable when a client that waits for its stream has hung up. live_gone then ends these
 * streams at once, so that their places are free. */
int live_gone_fd(const struct live *v);
void live_gone(struct live *v);
/* Does what is due. `room`: whether the box may be asked another question now. */
void live_run(struct live *v, uint64_t now_ns, bool room);
/* True: the message answered a question of this module. Its descriptor is taken out if there is
 * one. */
bool live_answer(struct live *v, struct msg *m, uint64_t now_ns);
/* Sends the progress of question `ask` to all streams with this session or token that have nothing
 * else to send. */
void live_progress(struct live *v, enum credential what, const uint8_t secret[32], uint32_t ask,
		   const struct msg_progress *p, uint64_t now_ns);
uint64_t live_next_ns(const struct live *v); /* UINT64_MAX = nothing is due */
/* The alarms, and since when each has been seen; valid as long as `v`. */
struct seen *live_seen(struct live *v);
bool live_asks(const struct live *v); /* whether a question is in progress */
/* Ends all streams after their present text. To be called before libmicrohttpd is stopped. */
void live_end(struct live *v);

/* The texts in a stream (live_text.c): answers of the box, as events of one line each. Pure. */

/* Reads the number in a Last-Event-ID header. False for any other form than ours; `text` may be
 * NULL. */
bool live_read_id(const char *text, uint64_t *ret);
/* The number of records of the box, from its status; false when the journal does not tell it. */
bool live_newest(const char *status, size_t n, uint64_t *ret);
/* Writes the records after number `after` from `records` (in the form of /api/v1/why), each with
 * its number as id. */
void live_put_records(FILE *to, const json_t *records, uint64_t after);
/*
 * The part of the effective rules that a map needs to show traffic:
 * {"time","digest","conduits":{NAME: packets}}; owned by the caller. NULL when `effective` is no
 * such answer.
 */
char *live_flow(const char *effective, size_t n);
/* An event with the progress of a question; owned by the caller, NULL without memory. */
char *live_progress_text(uint32_t ask, const struct msg_progress *p, size_t *ret_n);

#endif
