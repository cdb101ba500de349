/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/worker/template.h"

#include <string.h>

void templates_begin(struct templates *t, struct once_template *of)
{
	*t = (struct templates){ .of = of, .unused = 1 };
	for (uint32_t i = 0; i + 1 < ONCE_TEMPLATES; i++)
		t->next[i] = (uint16_t)(i + 2);
}

static uint16_t *chain_of(struct templates *t, const struct once_template *like)
{
	uint64_t words[sizeof(*like) / 8], h = 0;

	_Static_assert(sizeof(*like) % 8 == 0, "a template consists of whole words");
	memcpy(words, like, sizeof(*like));
	for (uint32_t i = 0; i < sizeof(*like) / 8; i++)
		h = (h ^ words[i]) * 0x9e3779b97f4a7c15u, h ^= h >> 32;
	return &t->first[h % ONCE_TEMPLATES];
}

uint32_t template_take(struct templates *t, const struct once_template *like)
{
	uint16_t *chain = chain_of(t, like);
	uint32_t at;

	for (at = *chain; at != 0; at = t->next[at - 1])
		if (memcmp(&t->of[at - 1], like, sizeof(*like)) == 0) {
			t->users[at - 1]++;
			return at - 1;
		}
	if (t->unused == 0)
		return ONCE_TEMPLATES;
	at = t->unused - 1u;
	t->unused = t->next[at];
	t->of[at] = *like;
	t->users[at] = 1;
	t->next[at] = *chain;
	*chain = (uint16_t)(at + 1);
	return at;
}

void template_drop(struct templates *t, uint32_t at)
{
	uint16_t *chain;

	if (--t->users[at] > 0)
		return;
	chain = chain_of(t, &t->of[at]);
	while (*chain != at + 1)
		chain = &t->next[*chain - 1];
	*chain = t->next[at];
	t->next[at] = t->unused;
	t->unused = (uint16_t)(at + 1);
}
