/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/wire/pulse.h"

#include "appliance/wire/shared.h"

int pulse_create(struct err *e)
{
	return shared_create("pulse", sizeof(struct pulse), e);
}

struct pulse *pulse_map(int fd, struct err *e)
{
	return shared_map("pulse", fd, sizeof(struct pulse), e);
}
