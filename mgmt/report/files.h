/* SPDX-License-Identifier: Apache-2.0 */
/* docs/controls as a part of the program: build/controls/files.c, made by mgmt/ui/embed. */
#ifndef SEKISHO_MGMT_REPORT_FILES_H
#define SEKISHO_MGMT_REPORT_FILES_H

#include <stddef.h>

extern const unsigned char controls_port[], controls_cpsf[], controls_nisc[], controls_sisac[], controls_self_check[];
extern const size_t controls_port_size, controls_cpsf_size, controls_nisc_size, controls_sisac_size,
	controls_self_check_size;

#endif
