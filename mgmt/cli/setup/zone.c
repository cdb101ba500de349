/* SPDX-License-Identifier: Apache-2.0 */
/* The zone behind an interface, and its class. */
#include <stdio.h>
#include <string.h>

#include "mgmt/cli/setup/setup.h"

enum step_result step_zone(struct setup *s, size_t k)
{
	char line[SETUP_LINE];
	enum step_result r = step_ask_plain(s, M_SETUP_ZONE, NULL, line);
	bool taken = false;

	if (r != STEP_GO)
		return r;
	for (size_t i = 0; i < k; i++)
		taken = taken || strcmp(s->data[i].zone, line) == 0;
	if (!step_name_good(line) || taken || strcmp(line, "self") == 0) {
		step_tell(s, taken ? M_SETUP_ZONE_TAKEN : M_SETUP_NAME_BAD, SETUP_NAME_MOST);
		return STEP_STAY;
	}
	snprintf(s->data[k].zone, sizeof(s->data[k].zone), "%.63s", line);
	return STEP_GO;
}

enum step_result step_class_of(struct setup *s, size_t k)
{
	char line[SETUP_LINE];
	enum step_result r = step_ask_plain(s, M_SETUP_CLASS, "3", line);
	unsigned long long n;

	if (r != STEP_GO)
		return r;
	if (!cli_number(line, 6, &n) || n == 0) {
		step_tell(s, M_SETUP_CHOOSE, 6);
		return STEP_STAY;
	}
	s->data[k].class = (unsigned)n - 1;
	s->n_data = k + 1;
	return STEP_GO;
}
