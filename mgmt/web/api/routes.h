/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The routes of the API: a path, the question that it puts to the supervisor, and how its parameters become that
 * question's body. These only read; of what is posted the paths alone stand here, and the
 * rest in http.c, login.c, change.c and records.c. A new route is one file beside this one, one line in routes.c and its description in docs/openapi.json.
 */
#ifndef SEKISHO_MGMT_WEB_API_ROUTES_H
#define SEKISHO_MGMT_WEB_API_ROUTES_H

#include "appliance/wire/msg.h"
#include "mgmt/state/seen.h"
#include "mgmt/web/api/target.h"

/* What is made of the supervisor's JSON before it goes out. */
struct route_form {
	const char *type; /* as HTTP names it */
	/* Of what was asked and its answer. The text is the caller's to free(), *ret_n its length; NULL when it cannot be made. */
	char *(*text)(const struct target *t, const char *json, size_t n, size_t *ret_n);
	/* Instead of it where what was seen before counts. */
	char *(*dated)(struct seen *seen, uint64_t wall_ns, const char *json, size_t n, size_t *ret_n);
};

struct route {
	const char *path;
	enum msg_type question;
	/* Fills the question's body. False when a parameter is unknown or out of range. */
	bool (*ask)(const struct target *t, struct msg_body *question);
	const struct route_form *form; /* NULL: the JSON as it is */
	enum right right;	       /* that who asks must have */
};

/* What is posted to; everything else has no body. */
#define POST_LOGIN "/api/v1/login"
#define POST_LOGOUT "/api/v1/logout"
#define POST_CHANGE "/api/v1/change"
#define POST_RECORDS "/api/v1/records"
#define POST_KEY "/api/v1/key"
#define POST_ACCOUNT "/api/v1/account"	     /* of somebody else */
#define POST_PASSPHRASE "/api/v1/passphrase" /* one's own */
#define GET_ME "/api/v1/me"		     /* read, but of whoever asks, whatever he may */
#define GET_ASK "/api/v1/ask"		     /* its words are people's: target.h */
#define GET_CHALLENGE "/api/v1/challenge"

bool route_is_posted(const char *path);
/* All of them, for whoever holds the list against the API's document; NULL behind the last. */
const struct route *route_at(size_t i);
const char *route_posted_at(size_t i);
/* NULL when no route has exactly this path. */
const struct route *route_find(const char *path);

extern const struct route route_live; /* its answer goes on: mgmt/web/live.h */
extern const struct route route_status;
extern const struct route route_state;
extern const struct route route_effective;
extern const struct route route_rules;
extern const struct route route_events;
extern const struct route route_why;
extern const struct route route_nearest;
extern const struct route route_picture;
extern const struct route route_metrics;
extern const struct route route_draft;
extern const struct route route_history;
extern const struct route route_policy;
extern const struct route route_verify;
extern const struct route route_accounts;
extern const struct route route_tokens;
extern const struct route route_holds;
extern const struct route route_reviews;
extern const struct route route_tally;
extern const struct route route_devices;
extern const struct route route_attacks;
extern const struct route route_flows;
extern const struct route route_ask;

/* What may be asked of events, for every route that is about them. */
bool events_ask(const struct target *t, struct msg_body *question);

#endif
