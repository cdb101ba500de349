/* SPDX-License-Identifier: Apache-2.0 */
/* What every part of the role control uses. */
#ifndef SEKISHO_CONTROL_GROUND_H
#define SEKISHO_CONTROL_GROUND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "appliance/base/messages.h"
#include "appliance/role/said.h"
#include "appliance/wire/event_codes.h"

struct control;
struct msg_body;

/* ground.c */
uint64_t now_ns(void);
void say_line(const struct control *s, enum message m, ...); /* one line on standard error */
void machine_record(struct control *s, uint8_t what, struct said x);
void policy_record_of(struct control *s, enum policy_event what, uint64_t number, struct said x);
/* Records a policy event. `by`: the person; `object`: the subject; NULL = none. */
void policy_record(struct control *s, enum policy_event what, uint64_t number, const char *by, const char *object);
/* Sends a question to the role in that slot, or to the supervisor itself. False: it was
 * not sent. */
bool ask_slot(struct control *s, unsigned slot, uint32_t number, const struct msg_body *question, const int *fds,
	      size_t n);
bool slot_is_wanted(const struct control *s, unsigned slot);

#endif
