/* SPDX-License-Identifier: Apache-2.0 */
#include "dpi/s7comm/state.h"

#include <string.h>

uint32_t s7_slot(const struct s7_state *s)
{
	return s->slot_known ? s->slot : SLOT_UNKNOWN;
}

void s7_forget(struct s7_state *s, uint32_t i)
{
	uint32_t at = 0;

	for (uint32_t k = 0; k < i; k++)
		at += s->open[k].lengths;
	memmove(&s->lengths[at], &s->lengths[at + s->open[i].lengths],
		(s->n_lengths - at - s->open[i].lengths) * sizeof(s->lengths[0]));
	s->n_lengths -= s->open[i].lengths;
	memmove(&s->open[i], &s->open[i + 1], (s->wait.n - i - 1u) * sizeof(s->open[0]));
	s->wait.n--;
}

void s7_lose(struct s7_state *s)
{
	if (!s->lost) {
		s->lost = 1;
		s->n_tail = 0;
	}
	s->lost_number = s->number;
}
