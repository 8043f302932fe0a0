import { multipart } from './fixtures.js'

/** The beginning of a JPEG: adapters look no further. */
export const picture = (name: string): Buffer => Buffer.concat([Buffer.from([0xff, 0xd8]), Buffer.from(name)])

/** Requests in the shapes of vendors, in words of this project. */
export interface VendorRequest {
  body: Buffer
  headers?: Record<string, string>
}

export function hikvisionRequest({ plate = '7ABC123', id = 'e-1', confidence = '93', extra = '' } = {}): VendorRequest {
  const xml = `<?xml version="1.0" encoding="UTF-8"?>
<EventNotificationAlert version="2.0" xmlns="http://www.isapi.org/ver20/XMLSchema">
  <ipAddress>10.1.0.7</ipAddress><macAddress>00:11:22:33:44:55</macAddress><channelID>1</channelID>
  <dateTime>2026-05-01T04:30:00.250-04:00</dateTime><eventType>ANPR</eventType><eventState>active</eventState>
  <UUID>${id}</UUID>
  <ANPR><country>US</country><licensePlate>${plate}</licensePlate><line>1</line><direction>forward</direction>
    <confidenceLevel>${confidence}</confidenceLevel><plateCharBelieve>99,98,97,96,95,94,60</plateCharBelieve>
    <vehicleInfo><color>white</color><speed>54</speed></vehicleInfo>${extra}</ANPR>
</EventNotificationAlert>`
  const part = (name: string, type: string) =>
    `Content-Disposition: form-data; name="${name}"; filename="${name}"\r\nContent-Type: ${type}`
  const body = multipart('boundary', [
    [part('anpr.xml', 'text/xml'), xml],
    [part('licensePlatePicture.jpg', 'image/jpeg'), picture('plate')],
    [part('detectionPicture.jpg', 'image/jpeg'), picture('scene')],
  ])
  return { body, headers: { 'content-type': 'multipart/form-data; boundary=boundary' } }
}

const json = (value: unknown): VendorRequest => ({
  body: Buffer.from(JSON.stringify(value)),
  headers: { 'content-type': 'application/json' },
})
const base64 = (name: string) => picture(name).toString('base64')

export const axisRequest = ({
  state = 'new',
  plate = '7ABC123',
  at = '2026-05-01T08:30:00.250Z',
} = {}): VendorRequest =>
  json({
    packetCounter: '7',
    capture_ts: at,
    plateText: plate,
    plateUTF8: plate,
    plateCountry: 'US',
    plateRegionCode: 'CA',
    plateConfidence: '0.930000',
    carState: state,
    carID: '17',
    carMoveDirection: 'in',
    camera_info: { SerialNumber: 'B8A44F000001', IPAddress: '10.1.0.8' },
    ImageArray: [
      { ImageType: 'plate', BinaryImage: base64('plate') },
      { ImageType: 'vehicle', BinaryImage: base64('scene') },
    ],
  })

export const dahuaRequest = ({
  plate = '7ABC123',
  isThere = true,
  time = '2026-05-01 04:30:00.250',
} = {}): VendorRequest =>
  json({
    Picture: {
      Plate: {
        PlateNumber: plate,
        PlateColor: 'White',
        Confidence: 237,
        IsExist: isThere,
        BoundingBox: [10, 20, 110, 60],
      },
      Vehicle: { VehicleColor: 'White', Speed: -1 },
      SnapInfo: { AccurateTime: time, DeviceID: 'd-1', Direction: 'Obverse' },
      NormalPic: { Content: base64('scene') },
      CutoutPic: { Content: base64('plate') },
    },
  })

export const verkadaRequest = (): VendorRequest =>
  json({
    webhook_type: 'lpr',
    data: {
      license_plate_number: '7ABC123',
      license_plate_state: 'us-ca',
      confidence: 0.93,
      crop: [0.1, 0.2, 0.3, 0.4],
      detected: 1_777_624_200_250,
      image_url: 'https://example.invalid/1',
    },
  })

export const plateRecognizerRequest = (): VendorRequest => {
  const value = {
    data: {
      camera_id: 'gate',
      timestamp: '2026-05-01T08:30:00.250Z',
      results: [
        {
          plate: '7abc123',
          score: 0.93,
          box: { xmin: 10, ymin: 20, xmax: 110, ymax: 60 },
          region: { code: 'us-ca', score: 0.7 },
          candidates: [
            { plate: '7abc123', score: 0.93 },
            { plate: '7a8c123', score: 0.4 },
          ],
        },
      ],
    },
  }
  const body = multipart('b', [
    ['Content-Disposition: form-data; name="json"', JSON.stringify(value)],
    ['Content-Disposition: form-data; name="upload"; filename="f.jpg"', picture('scene')],
  ])
  return { body, headers: { 'content-type': 'multipart/form-data; boundary=b' } }
}

export const openalprRequest = (): VendorRequest =>
  json({
    data_type: 'alpr_group',
    epoch_start: 1_777_624_200_250,
    best_uuid: 'group-1',
    best_plate_number: '7ABC123',
    best_confidence: 93,
    best_region: 'us-ca',
    travel_direction: 180.5,
    gps_latitude: -1,
    gps_longitude: -1,
    best_plate: { plate: '7ABC123', confidence: 93, plate_crop_jpeg: base64('plate') },
    candidates: [
      { plate: '7ABC123', confidence: 93 },
      { plate: '7A8C123', confidence: 40 },
    ],
    vehicle_crop_jpeg: base64('scene'),
  })

export const genetecRequest = (): VendorRequest => ({
  body: Buffer.from(`<?xml version="1.0"?><Read><Guid>g-1</Guid><Plate>7ABC123</Plate><State>CA</State>
    <UTCDate>2026/05/01</UTCDate><UTCTime>08:30:00.250</UTCTime><CameraName>gate</CameraName>
    <LongitudeX>-121.28</LongitudeX><LatitudeY>38.75</LatitudeY><ConfidenceScore>93</ConfidenceScore>
    <ContextImage>${base64('scene')}</ContextImage><LprImage>${base64('plate')}</LprImage></Read>`),
})

export const frigateRequest = (type = 'update', plate = '7ABC123'): VendorRequest =>
  json({
    type,
    before: {},
    after: {
      id: '1777624200.25-abc',
      camera: 'gate',
      frame_time: 1_777_624_200.25,
      label: 'car',
      recognized_license_plate: [plate, 0.93],
    },
  })
