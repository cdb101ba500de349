/* SPDX-License-Identifier: Apache-2.0 */
/* The management role alone, for its test: the supervisor at the other end of its channel is
 * the test. */
#include "appliance/role/roles.h"

int main(void)
{
	return role_mgmt();
}
