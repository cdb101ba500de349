/* SPDX-License-Identifier: Apache-2.0 */
/* UDP and ICMP: no stream, so each datagram is looked at alone until the flow has a name. A cut is a drop. */
#ifndef SEKISHO_DPI_INSPECT_DATAGRAM_H
#define SEKISHO_DPI_INSPECT_DATAGRAM_H

#include "dpi/inspect/crossing.h"

MUST_SEND struct verdict datagram_judge(struct crossing *x);

#endif
