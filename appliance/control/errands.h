/* SPDX-License-Identifier: Apache-2.0 */
/* Work of the compiler for people, one after the other. */
#ifndef SEKISHO_CONTROL_ERRANDS_H
#define SEKISHO_CONTROL_ERRANDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct control;
struct err;
struct msg_body;

/* errands.c: work of the compiler for people, which waits for its turn */
struct errands; /* of errands.c */
/* `undone` is told of each piece of work that will have no answer. */
int work_open(struct control *s, void (*undone)(struct control *s, uint32_t id), struct err *e);
/* MSG_SEAL or MSG_ASK; the descriptors stay the caller's. False: there is no place. */
bool work_put(struct control *s, uint32_t id, const struct msg_body *body, const int *fds, size_t n);
/* The asker of this work has left. */
void work_stop(struct control *s, uint32_t id);
/* The answer to the work `id` has come; `gone`: the supervisor says that none will come. id 0: the
 * work that the supervisor has. */
void work_told(struct control *s, uint32_t id, bool gone);
void work_due(struct control *s, uint64_t now);
uint64_t work_next(const struct control *s); /* monotonic ns, UINT64_MAX = never */

#endif
