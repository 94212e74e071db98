import type { EditErrorCode } from '../edit-error-codes.ts';

/**
 * What upstreams write when they reject an edit, by the error code that it means. Sources: the
 * references of OpenAI, Azure OpenAI, LiteLLM (`proxy/_types.py`), new-api (`types/error.go`),
 * one-api, OpenRouter, Z.ai, DashScope, Volcengine, Moonshot, Anthropic and Gemini, and issues
 * filed by users of those and of api.chatanywhere.tech.
 */
interface Signs {
  readonly code: EditErrorCode;
  /** In `code` or `type`, in any spelling: `InsufficientBalance` is `insufficient_balance`. */
  readonly codes: readonly string[];
  /**
   * In the message, for servers with unspecific codes. Quoted parts are removed and traditional
   * Chinese is converted to simplified: see `wordsOf`.
   */
  readonly words: readonly RegExp[];
}

/** A daily limit, or a request quota that renews by itself: waiting helps, credit does not. */
export const DAILY_LIMIT: Pick<Signs, 'codes' | 'words'> = {
  codes: ['entitlement_daily_limit_exceeded', 'daily_limit_exceeded', 'rate_limit_daily'],
  words: [
    /\b(requests?|images?|messages?|tokens?|models?)[ -]per[ -]day\b/i,
    /\b(RPD|IPD|TPD)\b/,
    /\b(daily|24[ -]?hours?)\b.{0,40}\b(limit|quota|requests?|allowance|cap)\b/i,
    /\b(limit|quota|allowance|requests?)\b.{0,20}\b(for today|per 24|a day|each day)\b/i,
    /(今日|今天|当日|当天|每日|每天|单日|24 ?小时).{0,20}(次数|请求|额度|配额|限额|限制|上限|用完|用尽|超出)/,
  ],
};

/** In order of precedence. */
export const ERROR_SIGNS: readonly Signs[] = [
  { code: 'RATE_LIMITED', ...DAILY_LIMIT },
  {
    // A suspended account comes first, because its message often names the rules that were
    // violated.
    code: 'AUTHENTICATION_FAILED',
    codes: [
      'account_deactivated',
      'account_suspended',
      'organization_deactivated',
      'access_terminated_error',
      'unsupported_country_region_territory',
    ],
    words: [
      /\b(account|organi[sz]ation|user)( has been| have been| is| was)?( \w+)? (suspended|deactivated|disabled|banned|terminated)\b/i,
      /(用户|账[号户]|帐[号户]).{0,12}(封禁|禁用|冻结|停用|封停)/,
      /\b(country|region|territory)\b.{0,20}\bnot supported\b/i,
    ],
  },
  {
    code: 'INSUFFICIENT_QUOTA',
    codes: [
      'insufficient_quota',
      'insufficient_user_quota',
      'pre_consume_token_quota_failed',
      'insufficient_balance',
      'err_insufficient_balance',
      'not_enough_balance',
      'insufficient_credit',
      'insufficient_credits',
      'insufficient_funds',
      'quota_exhausted',
      'credits_exhausted',
      'out_of_credits',
      'billing_hard_limit_reached',
      'billing_not_active',
      'billing_error',
      'payment_required',
      'budget_exceeded',
      'exceeded_budget',
      'exceeded_current_quota_error',
      'entitlement_required',
      'entitlement_inactive',
      'entitlement_total_limit_exceeded',
      'arrearage',
      'account_overdue_error',
      '1113', // Z.ai: the account is in arrears.
    ],
    words: [
      /(余额|额度|配额|积分|点数|算力).{0,6}(不足|不够|用尽|用完|耗尽|过低|太低|为 ?0)/,
      /欠费|请.{0,4}(充值|储值)|充值后/,
      /预扣费?.{0,4}额度失败/,
      /\b(insufficient|not enough|inadequate|out of|run out of|no remaining|lack of)\b.{0,24}\b(balance|credits?|funds?|quota)\b/i,
      /\bno\b.{0,12}\b(balance|credits?|funds?|quota)\b.{0,12}\b(left|remaining|available)\b/i,
      /(?<!(white|colou?r) )\b(balance|credits?|funds|quota)\b.{0,40}\b(insufficient|too low|not enough|not sufficient|exhausted|depleted|used up|run out)\b/i,
      /\bexceeded your current quota\b/i,
      /\bcheck (your )?plan and billing\b/i,
      /\b(more|add|buy|purchase)\b.{0,12}\bcredits\b/i,
      /\bbilling (hard )?limit\b/i,
      /\bbudget (has been|was|is) exceeded\b/i,
      /\b(in arrears|payment required|top up your|recharge your)\b/i,
    ],
  },
  {
    code: 'MODERATION_BLOCKED',
    codes: [
      'moderation_blocked',
      'content_policy_violation',
      'content_policy_violation_error',
      'content_filter',
      'content_filtered',
      'responsible_ai_policy_violation',
      'sensitive_words_detected',
      'sensitive_check_error',
      'sensitive_content_detected',
      'input_text_sensitive_content_detected',
      'input_image_sensitive_content_detected',
      'output_image_sensitive_content_detected',
      'prompt_blocked',
      'data_inspection_failed',
      'violation_fee.grok.csam',
      'content_moderation',
      'content_moderation_failed',
      'content_violation',
      'content_blocked',
      'moderation_failed',
      'moderation_error',
      'policy_violation',
      'safety_violation',
      'err_safety_breach',
      'prohibited_content',
      'image_safety',
      'nsfw_content_detected',
      '1301', // Z.ai: unsafe or sensitive content.
    ],
    words: [
      /\b(rejected|blocked|refused|flagged|filtered|declined|denied|disallowed|prevented|stopped|trigger\w*)\b.{0,80}\b(safety|moderation|content (policy|policies|filter\w*|management)|usage polic\w+)/i,
      /\b(safety|moderation|content (policy|policies|filter\w*|management)|usage polic\w+)\b.{0,80}\b(reject\w*|block\w*|refus\w*|flag\w*|filter(ed|s)?|declin\w*|violat\w*|trigger\w*)\b/i,
      /\b(violat\w+|against|breach\w*)\b.{0,40}\b(safety|moderation|content|usage|community)( \w+)? (polic\w+|guidelines?|rules?|system)/i,
      /\bContentPolicyViolation/i,
      /\b(inappropriate|unsafe|nsfw|prohibited) content\b/i,
      /\bsensitive (words?|content|information)\b/i,
      /\binput was flagged\b/i,
      /敏感(词|内容|信息|图)|违规|违禁|不合规|涉[黄政]|色情|暴力血腥|不安全的?(内容|图)/,
      /违反.{0,16}(政策|策略|规定|规范|准则|条款)/,
      /(内容|安全|图[片像]|提示词).{0,6}(审核|审查|安全系统|安全策略).{0,16}(未通过|不通过|失败|拒绝|拦截|阻止)/,
      /(未|不|没有?)能?通过.{0,8}(审核|审查|(安全|内容)检[测查])/,
      /不符合?.{0,6}(社区|内容|安全|使用|平台).{0,6}(规范|政策|策略|准则|规定)/,
      /(内容|安全|使用)(政策|策略|规范).{0,12}(限制|禁止|不允许)/,
      /触发.{0,12}(安全|审[核查]|过滤)/,
      /(安全系统|安全策略).{0,12}(拒绝|拦截|阻止)/,
      /(拒绝|拦截|阻止).{0,12}(安全系统|安全策略|内容审核)/,
    ],
  },
  {
    code: 'MODEL_NOT_FOUND',
    codes: [
      'model_not_found',
      'model_not_exist',
      'model_not_exists',
      'model_does_not_exist',
      'model_not_supported',
      'model_not_open',
      'model_access_denied',
      'model_error', // UCloud: no permission for the model.
      'invalid_model',
      'invalid_model_name',
      'unknown_model',
      'unsupported_model',
      'deployment_not_found',
      'key_model_access_denied',
      'team_model_access_denied',
      'invalid_endpoint_or_model.not_found',
      '1211', // Z.ai: the model does not exist.
    ],
    words: [
      /\bmodels?\b.{0,120}\b(does ?n[o’']t exist|do not exist|not exist|(was |is )?not found|is not available (for|in|to|on|under|with)|no longer available|has been (deprecated|retired|removed|shut ?down)|is (deprecated|retired))\b/i,
      /\bmodel\b.{0,60}\b(is )?not supported (by|on|in|for) (this|the|your) (server|api|endpoint|account|key|group)\b/i,
      /\b(no|not|without|lacks?|does not have|doesn[’']t have)\b.{0,24}\b(access|permission|allowed|authori[sz]ed)\b.{0,40}\bmodels?\b/i,
      /\bmust be verified\b.{0,60}\bmodels?\b/i,
      /\bno available channels?\b/i,
      /\b(unknown|invalid|unsupported|no such) model\b/i,
      /\bnot a valid model\b/i,
      /\bno (endpoints found|(allowed )?providers? (is|are) available) for\b/i,
      /(无|没有)可用的?渠道/,
      /模型.{0,60}(不存在|未找到|找不到|未开通|无权|没有权限|无权限|已下线|已停用|暂不支持)/,
      /(无权|没有权限|无权限|不存在|找不到|没有?找到|不支持).{0,16}模型/,
    ],
  },
  {
    code: 'AUTHENTICATION_FAILED',
    codes: [
      'invalid_api_key',
      'api_key_invalid',
      'incorrect_api_key',
      'invalid_key',
      'invalid_token',
      'invalid_authentication',
      'invalid_authentication_error',
      'authentication_error',
      'authentication_failed',
      'failed_to_auth',
      'err_auth_failed',
      'auth_error',
      'auth_failed',
      'unauthorized',
      'unauthenticated',
      'token_not_found_in_db',
      'token_expired',
      'expired_key',
      'key_expired',
      'api_key_expired',
      'missing_api_key',
      'ip_not_authorized',
      'invalid_organization',
    ],
    words: [
      /\b(invalid|incorrect|wrong|expired|revoked|missing|unknown|malformed)\b.{0,16}\b(api[ -]?keys?|access tokens?|auth\w* tokens?|bearer|credentials?)\b/i,
      /\b(api[ -]?key|access token|credentials?)\b.{0,40}\b(invalid|incorrect|not valid|expired|revoked|disabled|deleted|not found|inactive)\b/i,
      /\binvalid token\b/i,
      /\b(authentication|authori[sz]ation) (failed|error|required)\b/i,
      /\b(insufficient permissions|missing scopes?)\b/i,
      /\bip( address)?\b.{0,40}\b(not (allowed|authori[sz]ed|permitted)|whitelist|allow-?list)\b/i,
      /\bapproved ip ranges?\b/i,
      /\bIP\b.{0,12}(不在|不允许|未授权|被拒绝).{0,16}(列表|名单|范围|访问)/i,
      /无效的? ?(令牌|密钥|api ?key|token)/i,
      /(令牌|密钥|api ?key).{0,16}(无效|错误|不正确|不存在|过期|失效|禁用|状态不可用|未提供|网段)/i,
      /(身份验证|认证|鉴权)失败|未提供令牌/,
    ],
  },
];

/** The request itself is at fault. Checked only if the status does not say so. */
export const BAD_REQUEST: Pick<Signs, 'codes' | 'words'> = {
  codes: [
    'bad_request',
    'bad_request_error',
    'bad_request_body',
    'invalid_request',
    'invalid_request_error',
    'invalid_value',
    'invalid_size',
    'invalid_image',
    'invalid_image_file',
    'invalid_parameter',
    'invalid_parameter_error',
    'invalid_params',
    'invalid_argument',
    'invalid_input',
    'invalid_prompt',
    'unsupported_value',
    'unsupported_parameter',
    'unknown_parameter',
    'missing_required_parameter',
    'image_generation_user_error',
    'image_too_large',
    'request_too_large',
    'string_above_max_length',
    'validation_error',
    'unprocessable_entity',
    '1210', // Z.ai: incorrect parameters.
    '1213',
    '1214',
  ],
  words: [
    /\b(invalid|unsupported|unknown|missing|bad|illegal)\b.{0,24}\b(request|parameters?|params?|values?|arguments?|size|prompt|input|image|mask|file|format|field)\b/i,
    /\b(image|mask|file|prompt|request|size)\b.{0,30}\b(too (large|big|long|small)|is required|is missing|not supported|must be|exceeds)\b/i,
    /\bmust be (one of|a|an|at (least|most)|between|less|greater|divisible|divided)\b/i,
    /(参数|尺寸|图[片像]|格式|提示词|请求).{0,12}(错误|无效|不合法|有误|非法|不支持|不能为空|过大|过长|超出)/,
    /(无效|非法|错误|缺少|不支持).{0,8}(参数|尺寸|请求|图[片像]|格式)/,
  ],
};

/** A relay lost its own call, so the edit may have been made, whatever the status. */
export const CALL_LOST: Pick<Signs, 'codes' | 'words'> = {
  codes: [
    'do_request_failed',
    'bad_response',
    'bad_response_status_code',
    'bad_response_body',
    'read_response_body_failed',
    'empty_response',
    'aws_invoke_error',
    'channel:response_time_exceeded',
    'upstream_timeout',
    'gateway_timeout',
    'timeout',
    'timeout_error',
  ],
  words: [
    /\bdisconnect\/reset before headers\b/i,
    /\b(upstream|backend|origin)\b.{0,30}\b(connect error|timed? ?out|timeout|did not complete|closed|reset|disconnected)\b/i,
    /\b(connection|stream|socket)\b.{0,20}\b(reset|terminat\w+|closed|broken|hang up)\b/i,
    /\b(unexpected EOF|EOF|ECONNRESET|ETIMEDOUT|broken pipe)\b/,
    /\bcontext (deadline exceeded|canceled)\b/i,
    /\b(request|call|gateway|read|response|operation)\b.{0,20}\b(timed? ?out|timeout)\b/i,
    /(上游|请求|响应|连接).{0,8}(超时|中断|断开|重置)/,
  ],
};

/** The request alone exceeds the limit, so no wait helps. */
export const EXCEEDS_LIMIT_ALONE: readonly RegExp[] = [
  /\brequest too large\b/i,
  /\breduce (your|the) (input|prompt|images?)\b/i,
];
