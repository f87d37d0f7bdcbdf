/** Why somebody is not let into a mesh, or not any longer. */
export const MESH_ERROR_CODES = [
  'TOKEN_MALFORMED',
  'TOKEN_UNKNOWN',
  'TOKEN_USED',
  'TOKEN_EXPIRED',
  'CA_MISMATCH',
  'NOT_A_MEMBER',
  'MEMBER_REVOKED',
  'CERTIFICATE_EXPIRED',
  'NO_AUTHORITY',
  'OTHER_MESH',
  'NAME_TAKEN',
  'MEMBER_LOG_CONFLICT',
  'NO_CLUSTER',
  'OTHER_CLUSTER',
  'NOBODY_TAKES_OVER',
] as const
