/* SPDX-License-Identifier: Apache-2.0 */
/* Stored generations, for people. */
#ifndef SEKISHO_CONTROL_SHOW_H
#define SEKISHO_CONTROL_SHOW_H

#include <stdint.h>

#include "appliance/base/json.h"
#include "appliance/control/asker.h"

struct control;
struct err;
struct generation_record;
struct msg_body;
struct msg_show;

/* show.c: the texts of a stored generation, and of the one before it; 0 = the one in force */
int show_open(struct control *s, struct err *e);
void show_generation(struct control *s, struct asker a, const struct msg_show *q);
/* Passes MSG_ASK on, with the generation that was in force at the time in question. */
void show_asked(struct control *s, struct asker a, const struct msg_body *question);
/* Answers what was allowed at a moment, from the generation that was in force then
 * (docs/json.md, effective). */
void show_standing(struct control *s, struct asker a, uint64_t at_s);
void show_told(struct control *s, struct asker a, int status, int fd);
/* The record and the texts of a generation, from its sealed bytes (a descriptor, -1 = none); NULL:
 * it cannot be read. */
json_t *json_kept(const struct control *s, const struct generation_record *g, int fd, struct err *e);

#endif
