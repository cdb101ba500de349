/* SPDX-License-Identifier: Apache-2.0 */
/* The state of the box as JSON, for people. */
#ifndef SEKISHO_CONTROL_FACTS_H
#define SEKISHO_CONTROL_FACTS_H

#include <stdbool.h>
#include <stdint.h>

#include "appliance/base/json.h"
#include "appliance/wire/lane.h"

struct control;
struct msg;

/* facts.c: what people are told of the box, from the supervisor's report of its state. */
void facts_told(struct control *s, struct msg *m);
/* Writes a line when the number of workers differs from the requested one, unless the last call
 * found the same. */
void workers_say(struct control *s);
json_t *json_generation(const struct control *s);
json_t *json_clock(const struct control *s);
json_t *json_roles(const struct control *s);
json_t *json_by_kind(const uint64_t n[LANE_KINDS]);
json_t *json_isolations(const struct control *s);
json_t *json_doors(const struct control *s);
bool door_is_open(const struct control *s, const char *door);
/* refusal.c: why an operation was refused, in words; NULL: `error` has no reason of enum
 * op_refusal */
json_t *refusal_json(const struct control *s, const json_t *error);
/* Fills in what the supervisor has left to control (null) in its answer to an order. */
json_t *told_answer(const struct control *s, json_t *j);

#endif
