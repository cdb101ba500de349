/* SPDX-License-Identifier: Apache-2.0 */
/* The management role alone, for its test. The test is the supervisor at the other end of its
 * channel. */
#include "appliance/role/roles.h"

int main(void)
{
	return role_mgmt();
}
