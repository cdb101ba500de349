/* SPDX-License-Identifier: Apache-2.0 */
/* Messages of the supervisor, and of roles through it. */
#ifndef SEKISHO_CONTROL_DISPATCH_H
#define SEKISHO_CONTROL_DISPATCH_H

#include <stdbool.h>
#include <stdint.h>

struct control;
struct msg;

/* dispatch.c: handles a message of the supervisor, or of a role through it. */
bool box_said(struct control *s, struct msg *m);

/* dispatch.c: the compiler will not do this work (a question, or an encryption). */
void work_undone(struct control *s, uint32_t id);

#endif
