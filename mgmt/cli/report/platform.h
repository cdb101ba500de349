/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the product runs on, and until when its maker supports that: os-release(5), and Debian's own list of its releases (the package
 * distro-info-data). Both may be absent or say anything; what they do not say is "".
 */
#ifndef SEKISHO_MGMT_CLI_REPORT_PLATFORM_H
#define SEKISHO_MGMT_CLI_REPORT_PLATFORM_H

#include "appliance/base/json.h"

#define PLATFORM_OS_RELEASE "/etc/os-release"
#define PLATFORM_RELEASES "/usr/share/distro-info/debian.csv"

/*
 * {"name","release","kernel","security_until":"YYYY-MM-DD","lts_until":"YYYY-MM-DD"}, a new reference of the caller; NULL without memory. The kernel is
 * the one that runs here.
 */
json_t *platform_of(const char *os_release, const char *releases);

#endif
