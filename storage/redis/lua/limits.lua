local answer = call('SMEMBERS', limits)
table.insert(answer, 1, 'ok')
return answer
