/* SPDX-License-Identifier: Apache-2.0 */
#include "mgmt/web/api/routes.h"

/* The register of devices: who was heard beside the box, and who says that he knows which (/api/v1/records). */
static bool ask(const struct target *t, struct msg_body *question)
{
	question->devices = (struct msg_devices){ .order = DEVICES_LIST, .reason = "" };
	return t->n_parameters == 0;
}

const struct route route_devices = { "/api/v1/devices", MSG_DEVICES, ask, NULL, RIGHT_READ_EVENTS };
