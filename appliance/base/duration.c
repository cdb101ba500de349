/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/base/duration.h"

#include <stddef.h>
#include <string.h>

bool duration_parse(const char *text, uint64_t max, uint64_t *ret)
{
	static const struct {
		const char *unit;
		uint32_t seconds;
	} units[] = { { "s", 1 }, { "min", 60 }, { "m", 60 }, { "h", 3600 }, { "d", 86400 } };
	const char *p = text;
	uint64_t n = 0;

	for (; *p >= '0' && *p <= '9'; p++) {
		if (n > UINT64_MAX / 100)
			return false;
		n = n * 10 + (uint64_t)(*p - '0');
	}
	if (p == text)
		return false;
	p += *p == ' ';
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (strcmp(p, units[i].unit) != 0 || n > max / units[i].seconds)
			continue;
		*ret = n * units[i].seconds;
		return true;
	}
	return false;
}
