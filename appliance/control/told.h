/* SPDX-License-Identifier: Apache-2.0 */
/* The state that the supervisor reports. */
#ifndef SEKISHO_CONTROL_TOLD_H
#define SEKISHO_CONTROL_TOLD_H

#include <stdbool.h>
#include <stdint.h>

struct control;
struct in_force;
struct msg;

/* told.c: handles reports of the supervisor about its state. False: the report is invalid. */
bool told_standing(struct control *s, struct msg *m);
bool told_past(struct control *s, struct msg *m);
bool told_generation(struct control *s, struct msg *m);

/* A generation in a memfd, as in MSG_GENERATION; NULL: it is not valid. */
struct in_force *in_force_read(int fd, uint32_t n_sealed, uint32_t n_ids);
void in_force_free(struct in_force *p); /* accepts NULL */

#endif
