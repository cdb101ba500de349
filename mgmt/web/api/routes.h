/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The routes of the API: a path, the question that it puts to the role control, and how its
 * parameters become that question's body. These routes only read. For POST, this header has only
 * the paths; http.c, login.c, change.c and records.c handle them. A new route needs a question in
 * routes.c, or a file of its own if it is longer, and a description in docs/openapi.json.
 */
#ifndef SEKISHO_MGMT_WEB_API_ROUTES_H
#define SEKISHO_MGMT_WEB_API_ROUTES_H

#include <stddef.h>
#include <stdint.h>

#include "appliance/wire/msg.h"
#include "mgmt/state/seen.h"
#include "mgmt/web/api/target.h"

/* A conversion of control's JSON before it is sent. */
struct route_form {
	const char *type; /* as HTTP names it */
	/* Makes the text from the request and the answer. The caller frees it; *ret_n is its
	 * length. NULL when this is impossible. */
	char *(*text)(const struct target *t, const char *json, size_t n, size_t *ret_n);
	/* used instead of `text` if earlier answers matter */
	char *(*dated)(struct seen *seen, uint64_t wall_ns, const char *json, size_t n, size_t *ret_n);
};

struct route {
	const char *path;
	enum msg_type question;
	/* Fills the question's body. False when a parameter is unknown or out of range. */
	bool (*ask)(const struct target *t, struct msg_body *question);
	const struct route_form *form; /* NULL: the JSON is sent unchanged */
	enum right right;	       /* the right that the client needs */
};

/* Paths that are posted to; only these requests have a body. */
#define POST_LOGIN "/api/v1/login"
#define POST_LOGOUT "/api/v1/logout"
#define POST_CHANGE "/api/v1/change"
#define POST_RECORDS "/api/v1/records"
#define POST_KEY "/api/v1/key"
#define POST_ACCOUNT "/api/v1/account"	     /* orders about somebody else's account */
#define POST_PASSPHRASE "/api/v1/passphrase" /* the order to change one's own passphrase */
#define GET_ME "/api/v1/me"		     /* for every logged-in client, whatever his rights */
#define GET_ASK "/api/v1/ask"		     /* its parameters are text of people, see target.h */
#define GET_CHALLENGE "/api/v1/challenge"

bool route_is_posted(const char *path);
/* All routes, for the test that compares them with the API's document; NULL after the last. */
const struct route *route_at(size_t i);
const char *route_posted_at(size_t i);
/* The route with exactly this path, or NULL. */
const struct route *route_find(const char *path);

extern const struct route route_live; /* a stream, see mgmt/web/live.h */
extern const struct route route_state;
extern const struct route route_effective;
extern const struct route route_rules;
extern const struct route route_events;
extern const struct route route_why;
extern const struct route route_nearest;
extern const struct route route_picture;
extern const struct route route_metrics;
extern const struct route route_holds;
extern const struct route route_reviews;
extern const struct route route_tally;
extern const struct route route_flows;
extern const struct route route_ask;
/* a report needs several questions, see mgmt/web/report.h */
extern const struct route route_report;

/* For routes without parameters, and without further fields in the question. */
static inline bool ask_plain(const struct target *t, struct msg_body *question)
{
	(void)question;
	return t->n_parameters == 0;
}
/* Reads the filter of events, for all routes about events. */
bool events_ask(const struct target *t, struct msg_body *question);
/* Reads `at`, the moment whose rules are wanted. */
bool effective_at(const struct target *t, struct msg_body *question);

/*
 * The status for Prometheus: text exposition format 0.0.4, with a family of samples for each row of
 * metrics.def. All values come from the status; a value that is missing or null has no sample.
 * Pure.
 */

/* media type of that text */
#define METRICS_TYPE "text/plain; version=0.0.4; charset=utf-8"

/*
 * `json`: `n` bytes of the status. The caller frees the text; *ret_n is its length. NULL when the
 * bytes are no status, or memory is out.
 */
char *metrics_text(const char *json, size_t n, size_t *ret_n);

/*
 * The status with its meaning in both languages: the overall sentence, faults, refusals. The pages
 * take all their words from here, so they say the same as `sekisho status`. Pure but for `seen`.
 */

/*
 * `json`: `n` bytes of the status at the time `wall_ns`; the form is in docs/json.md. The caller
 * frees the text; *ret_n is its length. NULL when the bytes are no status, or memory is out; `seen`
 * is then unchanged.
 */
char *state_text(struct seen *seen, uint64_t wall_ns, const char *json, size_t n, size_t *ret_n);

#endif
