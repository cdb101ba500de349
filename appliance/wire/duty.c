/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/wire/duty.h"

#include <string.h>

static const struct {
	const char *word;
	enum message name;
} rights[RIGHT_COUNT] = {
#define RIGHT(id, word, name) [id] = { word, name },
#include "appliance/wire/duty.def"
};

static const struct {
	const char *word;
	enum message name;
	uint32_t rights;
} duties[DUTY_COUNT] = {
#define DUTY(id, word, name, may) [id] = { word, name, may },
#include "appliance/wire/duty.def"
};

const char *duty_word(unsigned duty)
{
	return duty < DUTY_COUNT ? duties[duty].word : NULL;
}

const char *right_word(unsigned right)
{
	return right < RIGHT_COUNT ? rights[right].word : NULL;
}

enum message duty_name(enum duty d)
{
	return duties[d].name;
}

enum message right_name(enum right r)
{
	return rights[r].name;
}

enum duty duty_by_word(const char *word)
{
	unsigned d = 0;

	while (d < DUTY_COUNT && strcmp(duties[d].word, word) != 0)
		d++;
	return (enum duty)d;
}

uint32_t duty_rights(uint32_t set)
{
	uint32_t may = 0;

	for (unsigned d = 0; d < DUTY_COUNT; d++)
		if ((set >> d & 1u) != 0)
			may |= duties[d].rights;
	return may;
}

bool duty_may(uint32_t set, enum right r)
{
	return (unsigned)r < RIGHT_COUNT && (duty_rights(set) >> r & 1u) != 0;
}
