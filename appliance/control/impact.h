/* SPDX-License-Identifier: Apache-2.0 */
/* The effect of an operation on live sessions, as the workers foretell it. */
#ifndef SEKISHO_CONTROL_IMPACT_H
#define SEKISHO_CONTROL_IMPACT_H

#include <stdint.h>

#include "appliance/base/json.h"

struct control;
struct err;
struct msg;

/*
 * impact.c: the effect of an operation on live sessions. The supervisor passes on what enforce says
 * of these sessions (impact_told), gives the workers the table, and waits while control asks the
 * workers (impact_weigh).
 */
struct impact; /* of impact.c */
int impact_open(struct control *s, struct err *e);
/* What the compiler says of the policy. */
void impact_meant(struct control *s, struct msg *m);
void impact_told(struct control *s, struct msg *m);
void impact_weigh(struct control *s, struct msg *m);
/* A worker's answer. */
void impact_foretold(struct control *s, struct msg *m);
/* The question with this id did not reach its worker. */
void impact_unasked(struct control *s, uint32_t id);
void impact_gone(struct control *s, unsigned slot); /* its process has ended */
void impact_due(struct control *s, uint64_t now);
uint64_t impact_next(const struct control *s); /* monotonic ns, UINT64_MAX = never */
/* The answer `j` to the order `id` has come: adds what is known of the effect. NULL: nobody
 * waits. */
void impact_answer(struct control *s, uint32_t id, json_t *j);

#endif
