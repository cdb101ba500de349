/* SPDX-License-Identifier: Apache-2.0 */
/* The asker of an order, and how to answer. All orders come through control. */
#ifndef SEKISHO_SUPERVISE_ASKER_H
#define SEKISHO_SUPERVISE_ASKER_H

#include <stdbool.h>
#include <stdint.h>

#include "appliance/base/json.h"
#include "appliance/wire/msg.h"

struct msg_progress;
struct supervisor;

struct asker {
	uint32_t id; /* id of control's request; 0 = there is no asker */
	bool web;    /* over the web */
	bool tell;   /* the asker wants reports of progress */
};

/* Takes the reference. */
void answer_json(struct supervisor *s, struct asker a, int status, json_t *j);
/* An order is refused, and why; takes the reference. */
void answer_no(struct supervisor *s, struct asker a, int status, json_t *why);
/* fd stays the caller's */
void answer_fd(struct supervisor *s, struct asker a, int status, int fd);
/* Sends a report of progress to the asker, if wanted: of enforce, or of this process. A report for
 * which there is no room is left out. */
void progress_tell(struct supervisor *s, const struct asker *a, const struct msg_progress *said);
void progress_stage(struct supervisor *s, const struct asker *a, enum progress_stage stage);

#endif
