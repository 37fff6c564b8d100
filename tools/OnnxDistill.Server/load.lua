-- wrk asks for another image each time: a seed of its own for each request of each thread.
local thread, request_number = 0, 0
local threads = {}

function setup(t)
  t:set("thread_number", #threads)
  table.insert(threads, t)
end

function init()
  answered, turned_away, others = 0, 0, 0
end

function request()
  request_number = request_number + 1
  return wrk.format("GET", string.format("/image?seed=%d&label=%d", thread_number * 100000000 + request_number, request_number % 10))
end

function response(status)
  if status == 200 then answered = answered + 1
  elseif status == 429 then turned_away = turned_away + 1
  else others = others + 1 end
end

function done(summary, latency)
  local ok, full, wrong = 0, 0, 0
  for _, t in ipairs(threads) do
    ok = ok + t:get("answered")
    full = full + t:get("turned_away")
    wrong = wrong + t:get("others")
  end
  local errors = summary.errors
  local failures = wrong + errors.connect + errors.read + errors.write + errors.timeout
  local seconds = summary.duration / 1e6
  -- One line for load.sh: 200, 429, everything else, images a second, answers a second, median and 99th percentile in milliseconds of all answers.
  print(string.format("RESULT %d %d %d %.1f %.1f %.2f %.2f", ok, full, failures, ok / seconds, (ok + full) / seconds, latency:percentile(50) / 1000, latency:percentile(99) / 1000))
end
