/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/gate/gate.h"

#define SECOND 1000000000u

void stray_begin(struct stray_budget *s)
{
	s->credit = 0;
}

void stray_decided(struct stray_budget *s, uint32_t slot, uint32_t id)
{
	s->last_id[slot] = id;
}

void stray_dropped(struct stray_budget *s, uint32_t slot, uint32_t id, uint32_t newest)
{
	if ((int32_t)(id - s->last_id[slot]) <= 0 || (int32_t)(newest - id) < 0)
		return;
	s->last_id[slot] = id;
	s->credit += STRAY_EACH;
	if (s->credit > STRAY_UNUSED)
		s->credit = STRAY_UNUSED;
}

static void fill(struct stray_budget *s, uint64_t now_ns)
{
	uint64_t passed = now_ns - s->filled_ns, more;

	if (s->filled_ns == 0 || passed >= SECOND) {
		s->tokens = STRAY_SECOND;
		s->filled_ns = now_ns;
		return;
	}
	more = passed * STRAY_SECOND / SECOND;
	if (more == 0)
		return;
	s->tokens = s->tokens + more < STRAY_SECOND ? s->tokens + (uint32_t)more : STRAY_SECOND;
	s->filled_ns = now_ns;
}

bool stray_pay(struct stray_budget *s, uint64_t now_ns)
{
	fill(s, now_ns);
	if (s->credit == 0 || s->tokens == 0)
		return false;
	s->credit--;
	s->tokens--;
	return true;
}
