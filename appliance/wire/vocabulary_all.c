/* SPDX-License-Identifier: Apache-2.0 */
/* Which protocols have command rules: one row each, its words in a file of its own. Tests with words of their own leave this out. */
#include <stddef.h>

#include "appliance/wire/vocabulary.h"
#include "appliance/wire/vocabulary_s7comm.h"

static const struct vocabulary *const all[] = {
	&vocabulary_modbus,
	&vocabulary_slmp,
	&vocabulary_enip,
	&vocabulary_s7comm,
};

const struct vocabulary *vocabulary_of(enum protocol p)
{
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		if (all[i]->protocol == p)
			return all[i];
	return NULL;
}
