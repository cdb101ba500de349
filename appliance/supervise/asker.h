/* SPDX-License-Identifier: Apache-2.0 */
/* Who ordered something: always control, for somebody; and how he is answered. */
#ifndef SEKISHO_SUPERVISE_ASKER_H
#define SEKISHO_SUPERVISE_ASKER_H

#include <stdbool.h>
#include <stdint.h>

#include "appliance/base/json.h"
#include "appliance/base/messages.h"
#include "appliance/wire/msg.h"

struct supervisor; /* supervise.h */

struct asker {
	uint32_t id; /* of control's request; 0 = nobody asked */
	bool web;    /* over the web */
	bool tell;   /* he wants to hear how far it is */
};

/* ground.c */
/* Takes the reference. */
void answer_json(struct supervisor *s, struct asker a, int status, json_t *j);
void answer_fd(struct supervisor *s, struct asker a, int status, int fd); /* fd stays the caller's */
/* To whoever wants to hear it; from enforce, or of what this process does itself. A word that finds no room is left out, and the next one says more. */
void progress_tell(struct supervisor *s, const struct asker *a, const struct msg_progress *said);
void progress_stage(struct supervisor *s, const struct asker *a, enum progress_stage stage);

#endif
