/* SPDX-License-Identifier: Apache-2.0 */
/* The present sessions in the words of the policy, by zone and lane. */
#ifndef SEKISHO_ENFORCE_SESSION_H
#define SEKISHO_ENFORCE_SESSION_H

#include <stdint.h>

#include "appliance/base/json.h"
#include "appliance/kernel/conntrack.h"
#include "policy/ir/evaluate.h"

struct enforce;
struct err;
struct event_filter;
struct generation_held;
struct msg_flows;

/* The question whether the policy allows this session. */
static inline struct question session_question(const struct session *s, uint64_t now_s)
{
	return (struct question){ .source = s->client,
				  .destination = s->server,
				  .l4proto = s->l4proto,
				  .port = s->server_port,
				  .now = now_s };
}
/* A session in the words of the policy. Names of its ends and of its conduit come from the policy
 * `now` or, if it has none, from `names`; either may be NULL. NULL: no memory. */
json_t *enforce_session_json(const struct generation_held *now, const struct generation_held *names,
			     const struct session *s, const struct question *q);
/* The first name in the filter that the policy in force does not have; NULL = it has all of
 * them. */
const char *enforce_flows_lacks(const struct generation_held *now, const struct event_filter *filter);
/* The list of present sessions (docs/json.md, flows). Needs f->now. Owned by the caller, NULL and
 * *e on failure. */
json_t *enforce_flows(struct enforce *f, const struct msg_flows *m, struct err *e);
/* "commands/cargo/closed/closed" */
json_t *enforce_lane_json(uint32_t number);
/* The number of tracked sessions, the limit of that number, and the shares (limits by zone and
 * lane) that are at least half full. */
json_t *enforce_tracking(struct enforce *f);
/* For conduits with heard_within: f->now has just come into force; its predecessor is still in
 * memory. */
void enforce_listen_adopt(struct enforce *f);
void enforce_listen(struct enforce *f); /* called in each look */
/* The number of conduits with heard_within, and which of them are silent (docs/json.md, status). */
json_t *enforce_expected(const struct enforce *f);

#endif
