/* SPDX-License-Identifier: Apache-2.0 */
/* Codes of OPC UA as rows name them: a service by the node id of its request's binary encoding, and
 * above those what is said of a session. */
#ifndef SEKISHO_DPI_OPCUA_WORDS_H
#define SEKISHO_DPI_OPCUA_WORDS_H

enum opcua_space { OPCUA_NODES, OPCUA_CERTIFICATES, OPCUA_SPACES };
#define OPCUA_IDENTIFIER_BITS 32u /* of an address; above them stands the namespace */

/* The targets, in the order of the vocabulary. */
enum opcua_target { OPCUA_POLICY, OPCUA_ATTRIBUTE };

/* Security policies (OPC 10000-7), by the order in which policies.def has them. */
#define OPCUA_POLICY_UNKNOWN 0u /* a session met half-way */
#define OPCUA_POLICY_NONE 1u
#define OPCUA_POLICY_OTHER 255u

#define OPCUA_VALUE 13u /* the attribute that holds a variable's value (OPC 10000-6, A.1) */

#define OPCUA_FAULT 397u	 /* ServiceFault, which any request may have for an answer */
#define OPCUA_SERVICE_MAX 65535u /* the highest node id that may be a service */
#define OPCUA_OPEN_CHANNEL 446u
#define OPCUA_CLOSE_CHANNEL 452u
#define OPCUA_WRITE 673u
/* Write of another attribute than the value: it changes what the variable is */
#define OPCUA_WRITE_ATTRIBUTE 100673u
#define OPCUA_SAYS(kind) (200000u + (kind)) /* a message that is no service */
/* anything within a channel that has a security policy: nobody but its ends can read it */
#define OPCUA_SECURED 200010u

#endif
